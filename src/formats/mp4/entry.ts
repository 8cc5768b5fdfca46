import { readLengthPrefixed } from '../nal/annex-b.ts'
import { hasCaptions } from '../nal/captions.ts'
import { isSkippedLeading, type RandomAccess, randomAccessOf } from '../nal/random-access.ts'
import type { VideoCodec } from '../nal/video-units.ts'
import { readAvcC } from './boxes/avc-c.ts'
import { readHvcC } from './boxes/hvc-c.ts'
import { readSampleEntry } from './boxes/sample-entry.ts'
import { findSampleEntry } from './boxes/stsd.ts'
import type { InitFacts } from './init.ts'
import { readSamples, type SampleTable } from './samples.ts'
import type { TrackMedia } from './track.ts'

/**
 * Says how decoding can begin with a fragment's first picture.
 * @param table of its samples, for who has read them
 */
export function entryOf(
  { initBytes, bytes }: TrackMedia,
  init: InitFacts,
  { samples, pieces }: SampleTable = readSamples(bytes, init),
): RandomAccess {
  if (init.rendition === 'audio') return 'key'
  const flagged = samples[0]?.isSync === true ? 'key' : 'none'
  const codec = codecOf(init)
  const lengthSize = lengthSizeOf(initBytes)
  let at = pieces[0]?.start ?? 0
  let found: RandomAccess | undefined
  for (const { bytes: size } of samples.slice(0, pieces[0]?.samples)) {
    const units = readLengthPrefixed(bytes.subarray(at, at + size), lengthSize)
    at += size
    if (found === undefined) {
      found = randomAccessOf(codec, units)
      // A stream may have nothing better than pictures that its packer takes for key frames.
      if (found === undefined) return flagged
      if (found === 'none') return flagged === 'key' ? 'recovery' : 'none'
      if (found === 'key' || codec === 'avc') return found
    } else return isSkippedLeading(units) ? 'recovery' : 'key'
  }
  return found ?? flagged
}

/**
 * Says whether a fragment's pictures carry closed captions. Its first tells: who sends any sends them with each picture, empty
 * ones too. CEA-708, 4.4.
 * @returns undefined for sound
 */
export function captionsOf(
  media: TrackMedia,
  init: InitFacts,
  table: SampleTable = readSamples(media.bytes, init),
): boolean | undefined {
  if (init.rendition === 'audio' || table.samples.length === 0) return undefined
  return hasCaptions(codecOf(init), firstUnits(media, table))
}

/**
 * Says whether a fragment's first picture begins with a NAL unit, as all do: what is none was sent in its place, or was
 * overwritten. True for sound, which has no form that tells.
 */
export function beginsWithUnit(media: TrackMedia, init: InitFacts, table: SampleTable): boolean {
  const { bytes = 0 } = table.samples[0] ?? {}
  return init.rendition === 'audio' || bytes === 0 || firstUnits(media, table).next().done !== true
}

/** Reads the NAL units of a fragment's first picture. */
function firstUnits(
  { initBytes, bytes }: TrackMedia,
  { samples, pieces }: SampleTable,
): Generator<Buffer> {
  const at = pieces[0]?.start ?? 0
  const picture = bytes.subarray(at, at + (samples[0]?.bytes ?? 0))
  return readLengthPrefixed(picture, lengthSizeOf(initBytes))
}

export function codecOf({ codec }: Pick<InitFacts, 'codec'>): VideoCodec {
  return codec.startsWith('avc') ? 'avc' : 'hevc'
}

/** By init segment, which is one buffer for all the fragments that use it. */
const lengthSizes = new WeakMap<Buffer, number>()

/** Returns how long the length before each NAL unit is, in bytes. */
function lengthSizeOf(initBytes: Buffer): number {
  const known = lengthSizes.get(initBytes) ?? readLengthSize(initBytes)
  lengthSizes.set(initBytes, known)
  return known
}

function readLengthSize(initBytes: Buffer): number {
  const entry = findSampleEntry(initBytes)
  for (const box of readSampleEntry(initBytes, entry).boxes) {
    if (box.type === 'avcC') return readAvcC(initBytes, box).lengthSize
    if (box.type === 'hvcC') return readHvcC(initBytes, box).lengthSize
  }
  return 4
}
