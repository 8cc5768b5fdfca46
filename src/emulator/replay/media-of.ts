import type { KvsObservations, MatroskaTrack } from '../../trace/trace.ts'
import type { CameraConfigInput } from '../config.ts'
import { cadenceOf } from './cadence.ts'

/** How far apart the tracks of a healthy producer may begin. */
const IN_STEP_MS = 100
/** How long ago a change of tracks is laid, of which is known that it was lately. */
const CHANGED_MS = 30_000
const MOST_LATE_PICTURES = 4
const MOST_OFFSET_MS = 5000

/** Which tracks have frames. */
interface Kinds {
  readonly video: boolean
  readonly audio: boolean
}

/** Returns the clip and the switches that come nearest to what the producer sent. */
export function mediaOf(seen: KvsObservations, nowMs: number): CameraConfigInput {
  const video = trackOf(seen, 'video')
  const audio = trackOf(seen, 'audio')
  const isHevc = codecsOf(seen).some((codec) => /HEVC|^h(vc|ev)1/i.test(codec))
  const [now, before = now] = kindsOf(seen)
  const hasPictures = now.video || before.video
  return {
    clip: hasPictures ? (isHevc ? 'hevc' : 'av-180p') : 'audio-only',
    events: hasPictures ? trackEvents(now, before, nowMs) : [],
    codecPrivateData: privateDataOf(video, audio),
    mediaSupported: video === undefined || /AVC|HEVC/.test(video.codecId),
    soundCodec: soundCodecOf(audio),
    silentTrack: now.video && audio?.blocks.length === 0,
    soundOffsetMs: offsetOf(seen),
    keyFrameDelay: latePictures(seen),
  }
}

/** Returns what leaves out of the clip what the producer did not send, or no longer. */
function trackEvents(
  now: Kinds,
  before: Kinds,
  nowMs: number,
): NonNullable<CameraConfigInput['events']> {
  const isSame = now.video === before.video && now.audio === before.audio
  return [
    { event: { type: 'tracks', ...before } },
    ...(isSame ? [] : [{ atMs: nowMs - CHANGED_MS, event: { type: 'tracks' as const, ...now } }]),
  ]
}

/** Returns which tracks the newest fragment has, and then the oldest, if both were looked into. */
function kindsOf(seen: KvsObservations): readonly [Kinds, ...Kinds[]] {
  const [newest, ...others] = (seen.matroska ?? []).flatMap(({ tracks }): readonly Kinds[] => {
    const has = (kind: 'video' | 'audio'): boolean =>
      tracks.some(({ type, blocks }) => type === kind && blocks.length > 0)
    const kinds = { video: has('video'), audio: has('audio') }
    return kinds.video || kinds.audio ? [kinds] : []
  })
  return newest === undefined ? [toldKinds(seen)] : [newest, ...others]
}

/** Returns which tracks there are by what else is known. */
function toldKinds({ session, described }: KvsObservations): Kinds {
  const names = session?.renditions.map(({ name }) => name) ?? []
  if (names.length > 0) {
    const muxed = names.includes('muxed')
    return { video: muxed || names.includes('video'), audio: muxed || names.includes('audio') }
  }
  const mediaType = described?.mediaType ?? 'video/h264,audio/aac'
  const kinds = { video: /video/.test(mediaType), audio: /audio/.test(mediaType) }
  return kinds.video || kinds.audio ? kinds : { video: true, audio: false }
}

function codecsOf({ matroska, session }: KvsObservations): readonly string[] {
  const inits = session?.renditions.flatMap((rendition) => rendition.inits) ?? []
  return [
    ...(matroska ?? []).flatMap(({ tracks }) => tracks.map(({ codecId }) => codecId)),
    ...inits.map(({ codec = '' }) => codec),
  ]
}

function trackOf(
  { matroska }: KvsObservations,
  kind: 'video' | 'audio',
): MatroskaTrack | undefined {
  return matroska?.[0]?.tracks.find(({ type }) => type === kind)
}

function privateDataOf(
  video: MatroskaTrack | undefined,
  audio: MatroskaTrack | undefined,
): NonNullable<CameraConfigInput['codecPrivateData']> {
  if (video?.startCode === true) return 'annex-b'
  if (video?.privateBytes === 0) return 'missing'
  const isAac = audio?.codecId === 'A_AAC'
  if (isAac && audio.privateBytes === 0) return video === undefined ? 'missing' : 'sound-missing'
  return 'present'
}

/** Returns what comes nearest; which law a G.711 track follows, nobody is told. */
function soundCodecOf(
  audio: MatroskaTrack | undefined,
): NonNullable<CameraConfigInput['soundCodec']> {
  if (audio === undefined || audio.codecId === 'A_AAC') return 'aac'
  return audio.codecId === 'A_MS/ACM' ? 'mu-law' : 'pcm'
}

/** Returns how much later than its pictures a fragment's sound is, beyond what is usual. */
function offsetOf(seen: KvsObservations): number {
  const [picture] = trackOf(seen, 'video')?.blocks ?? []
  const [sound] = trackOf(seen, 'audio')?.blocks ?? []
  const offsetMs =
    picture === undefined || sound === undefined ? offsetOfMedia(seen) : sound.atMs - picture.atMs
  if (Math.abs(offsetMs) <= IN_STEP_MS) return 0
  return Math.max(-MOST_OFFSET_MS, Math.min(MOST_OFFSET_MS, Math.round(offsetMs)))
}

/** Returns the same by the decode times of one fragment in both tracks. */
function offsetOfMedia({ session }: KvsObservations): number {
  const startOf = (kind: 'video' | 'audio'): ReadonlyMap<string, number> => {
    const rendition = session?.renditions.find(({ name }) => name === kind)
    const { timescale = 0 } = rendition?.inits[0] ?? {}
    return new Map(
      rendition?.media.flatMap(({ number = '', baseTicks }) => {
        return baseTicks === undefined || timescale === 0
          ? []
          : [[number, (1000 * baseTicks) / timescale] as const]
      }),
    )
  }
  const sounds = startOf('audio')
  for (const [number, pictureMs] of startOf('video')) {
    const soundMs = sounds.get(number)
    if (soundMs !== undefined) return soundMs - pictureMs
  }
  return 0
}

/** Returns how many pictures a fragment has in front of its first key frame. */
function latePictures(seen: KvsObservations): number {
  const blocks = trackOf(seen, 'video')?.blocks
  const key = blocks?.findIndex(({ isKey }) => isKey) ?? latePicturesOfMedia(seen)
  return Math.min(MOST_LATE_PICTURES, Math.max(0, key))
}

function latePicturesOfMedia(seen: KvsObservations): number {
  const rendition = seen.session?.renditions.find(({ name }) => name !== 'audio')
  const firstMs = rendition?.media[0]?.syncAtMs?.[0] ?? 0
  return Math.round((firstMs * cadenceOf(seen).framesPerSecond) / 1000)
}
