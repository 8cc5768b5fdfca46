/** Whether what a session lists can be fetched, in time, and read. */
import type { KvsObservations, RenditionLook } from '../../../trace/trace.ts'
import { saying, wordsOf } from '../calls.ts'
import { type FaultKind, faultKind } from '../fault-kind.ts'
import { type Finding, fine, found } from '../finding.ts'
import { counted, span } from '../numbers.ts'
import type { SessionFacts } from '../session-facts.ts'

const MEDIA_CALLS = ['GetMP4InitFragment', 'GetMP4MediaFragment', 'GetTSFragment']

export function media(o: KvsObservations, facts: SessionFacts | undefined): Finding[] {
  const asked = o.calls.filter(({ operation }) => MEDIA_CALLS.includes(operation))
  if (asked.length === 0) return []
  const changed = asked.find((call) => isTrackChange(faultKind(call)))
  if (changed !== undefined) return [found('tracks', 'track_change', saying(changed))]
  const failed = asked.find(
    (call) => faultKind(call) !== undefined && faultKind(call) !== 'throttled',
  )
  if (failed !== undefined) {
    const isFar = faultKind(failed) === 'unreachable'
    const code = isFar ? 'data_unreachable' : 'fragment_unreadable'
    return [found(isFar ? 'data host' : 'media', code, saying(failed), wordsOf(o))]
  }
  const looks = facts?.renditions.map(({ look }) => look) ?? []
  const problem = looks.flatMap(problemsOf)[0]
  if (problem !== undefined) return [found('media', 'fragment_unreadable', problem)]
  return [download(o, facts), ...apart(looks)]
}

/** A session that began with other tracks refuses what came since. KVS.md, section 6.3. */
function isTrackChange(kind: FaultKind | undefined): boolean {
  return kind === 'unsupported-media' || kind === 'codec-private-data-missing'
}

function problemsOf({ inits, media: fragments }: RenditionLook): readonly string[] {
  return [...inits, ...fragments].flatMap(({ problem }) => problem ?? [])
}

function download(o: KvsObservations, facts: SessionFacts | undefined): Finding {
  const fetched = o.calls.filter(
    ({ operation, bytes }) => MEDIA_CALLS.slice(1).includes(operation) && bytes !== undefined,
  )
  const slowest = Math.max(0, ...fetched.map(({ tookMs }) => tookMs))
  const bytes = fetched.reduce((sum, one) => sum + (one.bytes ?? 0), 0)
  const seen = `${counted(fetched.length, 'fragment')} read, ${Math.round(bytes / 1000)} kB, ${span(slowest)} at most`
  const lengths =
    facts?.renditions[0]?.lists.at(-1)?.list.segments.map(({ durationS }) => durationS) ?? []
  const shortestMs = Math.min(...lengths) * 1000
  return slowest > shortestMs ? found('media', 'slow_download', seen) : fine('media', seen)
}

/** How far sound may begin from the picture of the same fragment before it is told. */
const APART_MS = 500

function apart(looks: readonly RenditionLook[]): Finding[] {
  const [video, audio] = looks
  if (video === undefined || audio === undefined) return []
  for (const one of video.media) {
    const other = audio.media.find(({ number }) => number !== undefined && number === one.number)
    const [a, b] = [startMs(video, one.baseTicks), startMs(audio, other?.baseTicks)]
    if (a === undefined || b === undefined || Math.abs(a - b) <= APART_MS) continue
    return [found('timestamps', 'audio_apart', `sound begins ${span(b - a)} from its picture`)]
  }
  return []
}

function startMs({ inits }: RenditionLook, ticks: number | undefined): number | undefined {
  const timescale = inits[0]?.timescale
  return ticks === undefined || timescale === undefined ? undefined : (ticks / timescale) * 1000
}
