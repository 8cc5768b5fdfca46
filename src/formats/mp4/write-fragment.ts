import { malformed } from './mp4-error.ts'
import { writeTfdt } from './rewrite.ts'
import type { Sample } from './track.ts'
import { join, words, writeBox, writeBoxHeader, writeFullBox } from './write-box.ts'

export interface FragmentOptions {
  readonly trackId: number
  /** mfhd; default 1. */
  readonly sequenceNumber?: number
}

const DEFAULT_BASE_IS_MOOF = 0x20000
/** Data offset, then duration, size, flags and composition offset of each sample. */
const TRUN_FLAGS = 0xf01
/** Depends on no other; depends on others and is no sync sample. ISO/IEC 14496-12, 8.8.3.1. */
const SYNC = 0x2000000
const NON_SYNC = 0x1010000

/**
 * A media fragment: moof and mdat, with the first sample's dts as its tfdt.
 * @throws Mp4Error when there is no sample
 */
export function writeFragment(samples: readonly Sample[], options: FragmentOptions): Buffer {
  const [first] = samples
  if (first === undefined) throw malformed('a fragment without samples')
  const data = samples.map((sample) => sample.data)
  const mdatHeader = writeBoxHeader('mdat', data)
  // trun counts from the start of the moof, whose size does not depend on the offset in it.
  const { length } = writeMoof(first.dts, samples, 0, options)
  const moof = writeMoof(first.dts, samples, length + mdatHeader.length, options)
  return join([moof, mdatHeader, ...data])
}

function writeMoof(
  baseTicks: number,
  samples: readonly Sample[],
  dataOffset: number,
  { trackId, sequenceNumber = 1 }: FragmentOptions,
): Buffer {
  return writeBox('moof', [
    writeFullBox('mfhd', 0, 0, [words(sequenceNumber)]),
    writeBox('traf', [
      writeFullBox('tfhd', 0, DEFAULT_BASE_IS_MOOF, [words(trackId)]),
      writeTfdt(baseTicks),
      writeRun(samples, dataOffset),
    ]),
  ])
}

/** Version 1: pictures may be shown before they are decoded, as the producer counts. */
function writeRun(samples: readonly Sample[], dataOffset: number): Buffer {
  const rows = samples.map(({ dts, pts, duration, key, data }) =>
    words(duration, data.length, key ? SYNC : NON_SYNC, pts - dts),
  )
  return writeFullBox('trun', 1, TRUN_FLAGS, [words(samples.length, dataOffset), ...rows])
}
