import { join, writeBoxHeader } from './boxes/box.ts'
import { plainTfhd } from './boxes/tfhd.ts'
import { makeRun } from './boxes/trun.ts'
import { writeMoof } from './moof.ts'
import { malformed } from './mp4-error.ts'
import type { Sample } from './track.ts'

export interface FragmentOptions {
  readonly trackId: number
  /** The number in mfhd; default 1. */
  readonly sequenceNumber?: number
}

/**
 * Writes a media fragment: moof and mdat, with the first sample's dts as its tfdt.
 * @throws Mp4Error when there is no sample
 */
export function writeFragment(samples: readonly Sample[], options: FragmentOptions): Buffer {
  const [first] = samples
  if (first === undefined) throw malformed('a fragment without samples')
  const data = samples.map((sample) => sample.data)
  const mdatHeader = writeBoxHeader('mdat', data)
  // trun counts from the start of the moof, whose size does not depend on the offset in it.
  const { length } = writeOneRun(first.dts, samples, 0, options)
  const moof = writeOneRun(first.dts, samples, length + mdatHeader.length, options)
  return join([moof, mdatHeader, ...data])
}

function writeOneRun(
  startTicks: number,
  samples: readonly Sample[],
  dataOffset: number,
  { trackId, sequenceNumber = 1 }: FragmentOptions,
): Buffer {
  const rows = samples.map(({ dts, pts, duration, key, data }) => ({
    durationTicks: duration,
    compositionTicks: pts - dts,
    bytes: data.length,
    isSync: key,
  }))
  const runs = [makeRun(rows, dataOffset)]
  const said = { startTicks: BigInt(startTicks), isTimed: true, isEncrypted: false }
  const track = { tfhd: plainTfhd(trackId), ...said, runs }
  return writeMoof({ sequenceNumber, tracks: [track] })
}
