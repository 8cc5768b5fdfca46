import { redactPlaylist } from './redact-playlist.ts'
import { redactText } from './redact-text.ts'
import { type Observations, observationsSchema } from './trace.ts'

/** What is written as it came where it has this form, because it tells about media alone. */
const PLAIN: Readonly<Record<string, RegExp>> = {
  codec:
    /^(avc[1-4]\.[0-9a-f]{6}|(hvc1|hev1)\.[A-C]?\d{1,2}\.[0-9A-F]{1,8}\.[LH]\d{1,3}(\.[0-9A-F]{1,2}){0,6}|mp4a\.[0-9a-f]{2}(\.\d{1,2})?|[a-z0-9]{4})$/i,
  codecId: /^[AVSB]_[A-Z0-9]{1,12}(\/[A-Z0-9]{1,12}){0,3}$/,
  mediaType: /^(video|audio)\/[a-z0-9-]{1,20}(, ?(video|audio)\/[a-z0-9-]{1,20}){0,2}$/i,
  'content-type':
    /^(application\/(vnd\.apple\.mpegurl|x-mpegurl|octet-stream|json|xml)|(video|audio)\/(mp4|mp2t|iso\.segment|mpegurl|x-mpegurl|aac)|text\/(plain|html))(; ?charset=[a-z0-9-]{1,12})?$/i,
}

/**
 * Returns observations without whom they name: the one place that everything goes through before it is judged, shown or
 * written, so that a trace says what the doctor said.
 */
export function redactObservations(observations: Observations): Observations {
  return observationsSchema.parse(redacted(observations, ''))
}

function redacted(value: unknown, key: string): unknown {
  if (typeof value === 'string') return redactedString(value, key)
  if (Array.isArray(value)) return value.map((one) => redacted(one, key))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, one]) =>
      one === undefined ? [] : [[redactText(name), redacted(one, name)]],
    ),
  )
}

function redactedString(value: string, key: string): string {
  if (key === 'text') return redactPlaylist(value)
  // Digits, as the schema wants them.
  if (key === 'number') return value
  // A box’s name, which damaged bytes may have made of anything.
  if (key === 'type') return value.replace(/[^\x20-\x7e]/g, '?')
  if (PLAIN[key]?.test(value) === true) return value
  return redactText(value).slice(0, key === 'message' || key === 'problem' ? 2000 : 200)
}
