/** Which tracks there are, in which codecs, and whether that stays so. */
import type { KvsObservations, MatroskaFragment } from '../../../trace/trace.ts'
import { lastFault } from '../calls.ts'
import { type Finding, fine, found } from '../finding.ts'
import { trimmed } from '../numbers.ts'
import type { SessionFacts } from '../session-facts.ts'

export function tracks(o: KvsObservations, facts: SessionFacts | undefined): Finding[] {
  if (facts?.master === undefined) return recordedTracks(o)
  const silent = silentTrack(o)
  if (silent !== undefined) return [found('tracks', 'silent_track', silent)]
  const change = trackChange(o)
  if (change !== undefined) return [found('tracks', 'track_change', change)]
  const [variant] = facts.master.variants
  const codecs = variant?.codecs ?? []
  const unplayable = codecs.filter((codec) => !/^(avc[13]|hvc1|hev1|mp4a)\b/.test(codec))
  const size = variant?.resolution
  const shape = [
    ...(size === undefined ? [] : [`${size.width}×${size.height}`]),
    ...(variant?.frameRate === undefined ? [] : [`${trimmed(variant.frameRate, 1)} fps`]),
  ].join(', ')
  const named = codecs.length === 0 ? 'no CODECS' : codecs.join(' and ')
  const seen = `${named}${shape === '' ? '' : `; ${shape}`}`
  if (unplayable.length > 0) return [found('tracks', 'unsupported_codec', seen)]
  if (codecs.some((codec) => /^(hvc1|hev1)/.test(codec))) return [found('tracks', 'hevc', seen)]
  const hasSound = codecs.some((codec) => codec.startsWith('mp4a'))
  return [fine('tracks', hasSound ? seen : `${seen}; no sound`)]
}

/** What a fragment itself declares, where no session tells. */
function recordedTracks(o: KvsObservations): Finding[] {
  const declared = declaredTracks(o)
  // Where it is the codecs that are refused, the session tells.
  const isTold = lastFault(o, 'GetHLSStreamingSessionURL')?.kind === 'unsupported-media'
  return declared === '' || isTold ? [] : [fine('tracks', declared)]
}

/** Says what the newest fragment declares; empty where it was not seen. */
export function declaredTracks({ matroska }: KvsObservations): string {
  return tracksOf(matroska?.[0])
}

function tracksOf(fragment: MatroskaFragment | undefined): string {
  const tracks = fragment?.tracks ?? []
  return tracks.map(({ number, codecId }) => `track ${number} ${codecId}`).join(', ')
}

/** Says what a fragment declares and does not have. */
function silentTrack({ matroska }: KvsObservations): string | undefined {
  const [newest] = matroska ?? []
  const silent = newest?.tracks.find(({ blocks }) => blocks.length === 0)
  const isRead = newest?.tracks.some(({ blocks }) => blocks.length > 0) === true
  if (silent === undefined || !isRead) return undefined
  return `no frame of track ${silent.number} (${silent.codecId}) in the newest fragment`
}

/** Says what has changed since the oldest fragment that was listed. */
function trackChange({ matroska = [] }: KvsObservations): string | undefined {
  const [now, before] = matroska.map(tracksOf)
  if (now === undefined || before === undefined || now === '' || before === '') return undefined
  return now === before ? undefined : `${before} some minutes ago, ${now} now`
}
