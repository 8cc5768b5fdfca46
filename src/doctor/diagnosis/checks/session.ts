/** Whether a session opens, what is in it, and whether it can be read. */
import type {
  KvsObservations,
  MatroskaFragment,
  MatroskaTrack,
  RenditionLook,
} from '../../../trace/trace.ts'
import { callsOf, lastFault, saying, wordsOf } from '../calls.ts'
import type { CauseCode } from '../causes.ts'
import { type FaultKind, faultKind } from '../fault-kind.ts'
import { type CheckName, type Finding, fine, found } from '../finding.ts'
import { counted, span, trimmed } from '../numbers.ts'
import type { RenditionFacts, SessionFacts } from '../session-facts.ts'
import { newestFragment } from './stream.ts'

const REFUSALS: Partial<Record<FaultKind, CauseCode>> = {
  'codec-private-data-missing': 'codec_private_data_missing',
  'codec-private-data-invalid': 'codec_private_data_invalid',
  'unsupported-media': 'unsupported_codec',
  'not-found': 'no_recent_fragment',
  other: 'session_refused',
}

export function session(o: KvsObservations): Finding[] {
  const refused = lastFault(o, 'GetHLSStreamingSessionURL')
  if (refused !== undefined) return refusal(o, refused.kind, saying(refused.call))
  const [opened] = callsOf(o, 'GetHLSStreamingSessionURL').slice(-1)
  if (opened === undefined) return []
  return [fine('session', `opens in ${span(opened.tookMs)}`)]
}

function refusal(o: KvsObservations, kind: FaultKind, seen: string): Finding[] {
  const code = REFUSALS[kind]
  const isSilent = newestFragment(o).some(({ level }) => level === 'fail')
  if (code === undefined || (kind === 'not-found' && isSilent)) return []
  if (code === 'codec_private_data_missing' && isAboutAudio(o, seen)) {
    return [found('session', 'audio_private_data_missing', seen)]
  }
  if (code === 'codec_private_data_invalid' && isAnnexB(o)) {
    return [found('session', 'annex_b', `start codes in the media; ${seen}`)]
  }
  const declared = declaredTracks(o)
  if (code === 'unsupported_codec' && declared !== '') {
    return [found('session', code, `${declared}; ${seen}`)]
  }
  return [found('session', code, seen, wordsOf(o))]
}

/** Says whether the track that lacks its private data is audio: as its own fragment says, else as track 2 is. */
function isAboutAudio({ matroska }: KvsObservations, seen: string): boolean {
  const number = Number(/track (\d)/.exec(seen)?.[1] ?? Number.NaN)
  const track = matroska?.[0]?.tracks.find((one) => one.number === number)
  return track === undefined ? number >= 2 : track.type === 'audio'
}

function isAnnexB({ matroska }: KvsObservations): boolean {
  return matroska?.[0]?.tracks.some(hasStartCodes) === true
}

function hasStartCodes({ startCode, blocks }: MatroskaTrack): boolean {
  return startCode || blocks.some((block) => block.startCode)
}

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

function declaredTracks({ matroska }: KvsObservations): string {
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

export function playlist(o: KvsObservations, facts: SessionFacts | undefined): Finding[] {
  const asked = [...callsOf(o, 'GetHLSMasterPlaylist'), ...callsOf(o, 'GetHLSMediaPlaylist')]
  if (asked.length === 0) return []
  const failed = asked.find((call) => isOfPlaylist(faultKind(call)))
  const silent = asked.find((call) => faultKind(call) === 'not-found')
  if (failed !== undefined) return [found('playlist', 'playlist_unreadable', saying(failed))]
  if (silent !== undefined) return [found('newest fragment', 'producer_silent', saying(silent))]
  const [main] = facts?.renditions ?? []
  const last = main?.lists.at(-1)
  if (main === undefined || last === undefined || last.list.segments.length === 0) {
    const isRead = asked.some(({ status, fault }) => status === 200 && fault === undefined)
    return isRead ? [found('playlist', 'playlist_unreadable', 'no fragment is listed')] : []
  }
  return [...growth(main), ...changes(facts)]
}

function isOfPlaylist(kind: FaultKind | undefined): boolean {
  return kind !== undefined && !['throttled', 'not-found', 'unreachable'].includes(kind)
}

function growth({ lists }: RenditionFacts): Finding[] {
  const [first] = lists
  const last = lists.at(-1)
  if (first === undefined || last === undefined) return []
  const { targetDuration, segments } = last.list
  const watchedMs = last.atMs - first.atMs
  const isNew = newestUri(last.list) !== newestUri(first.list)
  const seen = `${counted(segments.length, 'fragment')} listed, target duration ${targetDuration} s`
  if (!isNew && watchedMs > (targetDuration + 1) * 1000) {
    return [found('playlist', 'playlist_stuck', `${seen}; nothing new within ${span(watchedMs)}`)]
  }
  return [fine('playlist', isNew ? `${seen}; it grows` : seen)]
}

function newestUri({ segments }: RenditionFacts['lists'][number]['list']): string {
  return segments.at(-1)?.uri ?? ''
}

function changes(facts: SessionFacts | undefined): Finding[] {
  const most = Math.max(0, ...(facts?.renditions ?? []).map(mapChanges))
  if (most < 2) return []
  return [found('tracks', 'codec_changes', `${most} changes of codec private data in one list`)]
}

function mapChanges({ lists }: RenditionFacts): number {
  const uris = lists.at(-1)?.list.segments.map(({ map }) => map?.uri) ?? []
  return uris.slice(1).filter((uri, i) => uri !== uris[i]).length
}

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
  const check: CheckName = 'media'
  const fetched = o.calls.filter(
    ({ operation, bytes }) => MEDIA_CALLS.slice(1).includes(operation) && bytes !== undefined,
  )
  const slowest = Math.max(0, ...fetched.map(({ tookMs }) => tookMs))
  const bytes = fetched.reduce((sum, one) => sum + (one.bytes ?? 0), 0)
  const seen = `${counted(fetched.length, 'fragment')} read, ${Math.round(bytes / 1000)} kB, ${span(slowest)} at most`
  const lengths =
    facts?.renditions[0]?.lists.at(-1)?.list.segments.map(({ durationS }) => durationS) ?? []
  const shortestMs = Math.min(...lengths) * 1000
  return slowest > shortestMs ? found(check, 'slow_download', seen) : fine(check, seen)
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
