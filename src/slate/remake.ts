/**
 * Makes a slate segment that was published once more, from what is known of it. A slate is a cut of its film,
 * or so many frames of silence, at a known place: so its bytes need not be kept for as long as it is listed.
 */
import { type InitFacts, readInit } from '../formats/mp4/init.ts'
import type { Movie } from '../formats/mp4/read-movie.ts'
import type { Sample, Track } from '../formats/mp4/track.ts'
import { writeFragment } from '../formats/mp4/write-fragment.ts'
import { writeInit } from '../formats/mp4/write-init.ts'
import type { RenditionName, Segment, SegmentTrack } from '../timeline/fragment.ts'
import { type Cut, cutsOf, stillCut } from './picture-loop.ts'
import { nearestPicture, readPicture, videoCodecOf } from './pictures.ts'
import { frameLength, silentFrame } from './silence.ts'
import { recordedSound } from './sound.ts'

/** How many pictures of a film may be as many, as long and as large as others, and yet not the same. */
const MOST_ALIKE = 64

type Published = Pick<Segment, 'msn' | 'tracks'>
type Wanted = Pick<SegmentTrack, 'init' | 'baseTicks' | 'durationTicks' | 'samples' | 'bytes'>
/** All of a sample but its place. */
type Part = Pick<Sample, 'duration' | 'key' | 'data'> & { readonly shownAfter: number }

/**
 * Yields what the published bytes of one of its tracks may be; who knows their content id can tell. Nothing where the
 * film is not what it was.
 * @param file the operator's film, if there is one
 */
export async function* remakes(
  { msn, tracks }: Published,
  rendition: RenditionName,
  file: Movie | undefined,
): AsyncGenerator<Buffer> {
  const wanted = tracks[rendition]
  if (wanted === undefined) return
  const all = rendition === 'video' ? pictures(wanted, file) : sounds(wanted, tracks.video, file)
  for await (const parts of all) {
    const bytes = written(parts, wanted, msn)
    if (bytes.length === wanted.bytes) yield bytes
  }
}

async function* pictures(wanted: Wanted, file: Movie | undefined): AsyncGenerator<readonly Part[]> {
  for await (const { samples } of cuts(wanted, file)) yield samples.map(partOf)
}

/** Yields the sound: the operator's film sounds in step with its pictures; the rest is silence. */
async function* sounds(
  wanted: Wanted,
  video: Wanted | undefined,
  file: Movie | undefined,
): AsyncGenerator<readonly Part[]> {
  if (file?.audio === undefined || !isOf(file.audio, wanted.init)) {
    yield* silences(wanted)
    return
  }
  if (video === undefined) return
  for await (const cut of cuts(video, file)) yield recorded(file.audio, wanted, video, cut)
}

/** Yields where in its film, or in which picture that ships, these pictures may be. */
async function* cuts(wanted: Wanted, file: Movie | undefined): AsyncGenerator<Cut> {
  const { init, samples } = wanted
  if (file?.video !== undefined && isOf(file.video, init)) {
    let left = MOST_ALIKE
    for (const cut of cutsOf(file.video, samples)) {
      if (!fits(cut, wanted)) continue
      yield cut
      left -= 1
      if (left === 0) return
    }
    return
  }
  if (init.video === undefined) return
  const { video } = await readPicture(nearestPicture(videoCodecOf(init), init.video))
  if (video !== undefined && isOf(video, init)) yield stillCut(video, samples)
}

/** Says whether a stretch may be the wanted one, before anything is copied or hashed. */
function fits({ samples }: Cut, { durationTicks, bytes }: Wanted): boolean {
  const ticks = samples.reduce((sum, { duration }) => sum + duration, 0)
  if (ticks !== durationTicks) return false
  return samples.reduce((sum, { data }) => sum + data.length, headBytes(samples.length)) === bytes
}

/**
 * Yields frames of silence. They are whole ticks long, and now and then one more where a frame is not: that depends on
 * how many frames of the same slate came before.
 */
function* silences(wanted: Wanted): Generator<readonly Part[]> {
  const { init, durationTicks, samples } = wanted
  const data = silentFrame(init)
  if (data === undefined) return
  const { ticks, per } = frameLength(init, durationTicks / samples)
  const at = (frame: number): number => Math.round((frame * ticks) / per)
  for (let before = 0; before < per / commonDivisor(ticks, per); before += 1) {
    if (at(before + samples) - at(before) !== durationTicks) continue
    yield Array.from({ length: samples }, (_, i) => {
      const duration = at(before + i + 1) - at(before + i)
      return { duration, key: true, data, shownAfter: 0 }
    })
  }
}

/** Yields a stretch of the film's sound, counted as SlateRun counts. */
function recorded(track: Track, wanted: Wanted, video: Wanted, cut: Cut): readonly Part[] {
  const sound = recordedSound(track)
  const loopMs = ms(cut.fromTicks, video)
  const startMs = ms(video.baseTicks, video)
  return Array.from({ length: wanted.samples }, (_, i) => {
    const dtsMs = ms(wanted.baseTicks + i * sound.frame.ticks, wanted)
    const data = sound.data(Math.max(0, loopMs + dtsMs - startMs))
    return { duration: sound.frame.ticks, key: true, data, shownAfter: 0 }
  })
}

function partOf({ dts, pts, duration, key, data }: Sample): Part {
  return { duration, key, data, shownAfter: pts - dts }
}

function written(parts: readonly Part[], { init, baseTicks }: Wanted, msn: number): Buffer {
  let dts = baseTicks
  const samples = parts.map(({ shownAfter, ...part }) => {
    const sample = { ...part, dts, pts: dts + shownAfter }
    dts += part.duration
    return sample
  })
  return writeFragment(samples, { trackId: init.trackId, sequenceNumber: msn })
}

/** Returns how long the head of a fragment is, without its samples' data. */
function headBytes(samples: number): number {
  const empty = { dts: 0, pts: 0, duration: 0, key: false, data: Buffer.alloc(0) }
  return writeFragment(Array<Sample>(samples).fill(empty), { trackId: 1 }).length
}

/** Says whether an init segment was written for this track. */
function isOf({ description }: Track, { id }: InitFacts): boolean {
  return readInit(writeInit(description)).id === id
}

function ms(ticks: number, { init }: Wanted): number {
  return (ticks / init.timescale) * 1_000
}

function commonDivisor(a: number, b: number): number {
  return b === 0 ? a : commonDivisor(b, a % b)
}
