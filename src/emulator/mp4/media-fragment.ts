import { box, boxHeader, fullBox, words } from './box.ts'
import { type Sample, totalDuration } from './sample.ts'

/** Says how `moof` and its surroundings are spelled, because nobody has published a hex dump of KVS's own. */
export interface FragmentLayout {
  /**
   * The version of `tfdt`: 0 holds 32 bits, which epoch-based times do not fit into, so that the writer takes 1 then.
   */
  readonly tfdtVersion: 0 | 1
  /** How many `moof`+`mdat` pairs share the samples. */
  readonly moofs: number
  readonly styp: boolean
  readonly sidx: boolean
}

export interface MediaFragment {
  readonly trackId: number
  readonly timescale: number
  /** The number in `mfhd` of the first `moof`; the others count on. */
  readonly sequenceNumber: number
  /** The decode time of the first sample, in ticks. */
  readonly baseTicks: number
  readonly samples: readonly Sample[]
}

const SYNC_SAMPLE = 0x02000000
const NON_SYNC_SAMPLE = 0x01010000
const DEFAULT_BASE_IS_MOOF = 0x020000
/** Says what `trun` holds: data offset, then duration, size, flags and composition offset for each sample. */
const TRUN_FLAGS = 0x000f01
const LARGEST_32_BIT = 2 ** 32 - 1

/** Writes `[styp] [sidx] (moof mdat)+` of one track. ISO/IEC 14496-12, section 8.8. */
export function writeMediaFragment(fragment: MediaFragment, layout: FragmentLayout): Buffer {
  const chunks = split(fragment.samples, layout.moofs)
  let baseTicks = fragment.baseTicks
  const media = chunks.map((samples, i) => {
    const sequenceNumber = fragment.sequenceNumber + i
    const chunk = writeChunk({ ...fragment, samples, baseTicks, sequenceNumber }, layout)
    baseTicks += totalDuration(samples)
    return chunk
  })
  const bodyBytes = media.flat().reduce((sum, { length }) => sum + length, 0)
  // Put together only once: fragments may have 50 MB.
  return Buffer.concat([
    ...(layout.styp ? [box('styp', Buffer.from('msdh\0\0\0\0msdhmsix'))] : []),
    ...(layout.sidx ? [writeSidx(fragment, bodyBytes)] : []),
    ...media.flat(),
  ])
}

function split(samples: readonly Sample[], parts: number): readonly (readonly Sample[])[] {
  const size = Math.ceil(samples.length / parts)
  const chunks: (readonly Sample[])[] = []
  for (let at = 0; at < samples.length; at += size) chunks.push(samples.slice(at, at + size))
  return chunks
}

function writeChunk(fragment: MediaFragment, layout: FragmentLayout): readonly Buffer[] {
  // trun counts its data offset from the start of moof, whose size does not depend on the offset.
  const moofBytes = writeMoof(fragment, layout, 0).length
  const media = fragment.samples.map(({ data }) => data)
  const mediaBytes = media.reduce((sum, { length }) => sum + length, 0)
  return [writeMoof(fragment, layout, moofBytes + 8), boxHeader('mdat', mediaBytes), ...media]
}

function writeMoof(fragment: MediaFragment, layout: FragmentLayout, dataOffset: number): Buffer {
  return box(
    'moof',
    fullBox('mfhd', 0, 0, words(fragment.sequenceNumber)),
    box(
      'traf',
      fullBox('tfhd', 0, DEFAULT_BASE_IS_MOOF, words(fragment.trackId)),
      writeTfdt(fragment.baseTicks, layout.tfdtVersion),
      writeTrun(fragment.samples, dataOffset),
    ),
  )
}

function writeTfdt(baseTicks: number, version: 0 | 1): Buffer {
  if (version === 0 && baseTicks <= LARGEST_32_BIT) return fullBox('tfdt', 0, 0, words(baseTicks))
  return fullBox('tfdt', 1, 0, wide(baseTicks))
}

function writeTrun(samples: readonly Sample[], dataOffset: number): Buffer {
  const rows = samples.flatMap(({ data, duration, compositionOffset, sync }) => [
    duration,
    data.length,
    sync ? SYNC_SAMPLE : NON_SYNC_SAMPLE,
    compositionOffset,
  ])
  return fullBox('trun', 0, TRUN_FLAGS, words(samples.length, dataOffset, ...rows))
}

function writeSidx(fragment: MediaFragment, referencedBytes: number): Buffer {
  const startsWithSap = 0x90000000
  return fullBox(
    'sidx',
    1,
    0,
    words(fragment.trackId, fragment.timescale),
    wide(fragment.baseTicks + (fragment.samples[0]?.compositionOffset ?? 0)),
    wide(0),
    words(1, referencedBytes, totalDuration(fragment.samples), startsWithSap),
  )
}

function wide(value: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(BigInt(value))
  return bytes
}
