import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { codecString, pictureSize } from '../mp4/codec-string.ts'
import type { Sample } from '../mp4/sample.ts'
import { readTrackFile, type TrackFile } from '../mp4/track-file.ts'

export const CLIPS_FOLDER = fileURLToPath(new URL('./clips/', import.meta.url))

export const CLIP_NAMES = [
  'av-720p',
  'av-360p',
  'av-360p-irregular',
  'av-180p',
  'av-180p-long',
  'hevc',
  'audio-only',
  'video-only',
  'video-gop-20s',
  'video-gop-400ms',
  'bar-code',
] as const
export type ClipName = (typeof CLIP_NAMES)[number]

const clipIndexSchema = z.strictObject({
  loopMs: z.int().positive(),
  frameRate: z.number().positive(),
  /** Where each fragment starts in the loop. */
  startsMs: z.array(z.int()).min(1),
  /** The files, one per codec private data. */
  video: z.array(z.string()),
  audio: z.string().optional(),
})
export type ClipIndex = z.infer<typeof clipIndexSchema>

export type TrackKind = 'video' | 'audio'

/** One track of a clip, cut into fragments. */
export interface ClipTrack {
  readonly kind: TrackKind
  readonly codec: string
  readonly init: Buffer
  readonly entry: TrackFile['entry']
  readonly trackId: number
  readonly timescale: number
  /** How long after the start of the loop the first fragment's first decode time is, in ticks. */
  readonly offsetTicks: number
  readonly fragments: readonly (readonly Sample[])[]
  readonly size: { readonly width: number; readonly height: number } | undefined
}

/** A scene that loops without a seam. */
export interface Clip {
  readonly name: ClipName
  readonly loopMs: number
  readonly frameRate: number
  readonly startsMs: readonly number[]
  /** The same pictures under one or two codec private data; empty when there is only sound. */
  readonly video: readonly ClipTrack[]
  readonly audio: ClipTrack | undefined
  /** What is known of its fragments, where they are those of a recording. */
  readonly recorded?: {
    /** One for each; none where the recording has a gap. */
    readonly fragments: readonly (RecordedFragment | undefined)[]
    readonly driftMs: number
  }
}

/** A fragment as somebody's producer sent it. */
export interface RecordedFragment {
  readonly lengthMs: number
  /** How many bytes its tracks had together. */
  readonly bytes: number
  /** How far its producer timestamp is from its start. */
  readonly producerMs: number
  /** How far its server timestamp is. */
  readonly serverMs: number
  /** How far the counter in its number is from that of the first. */
  readonly counter: number
}

const loaded = new Map<ClipName, Clip>()

/** Reads a committed clip. A file is read once in a process: cameras share it. */
export function loadClip(name: ClipName): Clip {
  const known = loaded.get(name)
  if (known !== undefined) return known
  const clip = readClip(name)
  loaded.set(name, clip)
  return clip
}

function readClip(name: ClipName): Clip {
  const folder = join(CLIPS_FOLDER, name)
  const index = clipIndexSchema.parse(JSON.parse(readFileSync(join(folder, 'index.json'), 'utf8')))
  const read = (file: string): TrackFile => readTrackFile(readFileSync(join(folder, file)))
  const video = index.video.map((file) => asVideo(read(file)))
  const { loopMs, frameRate, startsMs } = index
  const audio = index.audio === undefined ? undefined : asAudio(read(index.audio), video[0])
  return { name, loopMs, frameRate, startsMs, video, audio }
}

function asVideo(track: TrackFile): ClipTrack {
  const size = pictureSize(track.entry.body)
  return { ...track, kind: 'video', codec: codecString(track.entry), offsetTicks: 0, size }
}

/**
 * Lays sound beside pictures: where those are reordered, the first of them is shown later than it is decoded; the sound
 * waits as long, so that both are in step.
 */
function asAudio(track: TrackFile, video: ClipTrack | undefined): ClipTrack {
  const shown = video?.fragments[0]?.[0]?.compositionOffset ?? 0
  const offsetTicks = Math.round((shown * track.timescale) / (video?.timescale ?? track.timescale))
  return { ...track, kind: 'audio', codec: codecString(track.entry), offsetTicks, size: undefined }
}
