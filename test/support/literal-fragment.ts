import type { Sample } from '../../src/formats/mp4/boxes/trun.ts'
import { type InitFacts, readInit } from '../../src/formats/mp4/init.ts'
import { box, type ClipName, readClip } from './mp4.ts'

/** A sample as a test wants it. `startTicks` follows from the fragment. */
export type LiteralSample = Omit<Sample, 'startTicks'>

export interface LiteralInit {
  readonly init: InitFacts
  readonly initBytes: Buffer
}

/** A clip's init segment, said to count in another timescale. */
export function literalInit(name: ClipName, timescale?: number): LiteralInit {
  const initBytes = readClip(name).init
  const init = readInit(initBytes)
  return { init: { ...init, timescale: timescale ?? init.timescale }, initBytes }
}

/** moof and mdat of samples that no decoder has to like, every field written out; `fill` is each data byte. */
export function literalFragment(
  { init }: LiteralInit,
  baseTicks: number,
  samples: readonly LiteralSample[],
  fill = 0,
): Buffer {
  const size = samples.reduce((sum, { bytes }) => sum + bytes, 0)
  const moof = (dataOffset: number): Buffer =>
    box(
      'moof',
      Buffer.concat([
        box('mfhd', u32(0, 1)),
        box(
          'traf',
          Buffer.concat([
            box('tfhd', u32(0x20000, init.trackId)),
            box('tfdt', Buffer.concat([u32(0x1000000), u64(baseTicks)])),
            box('trun', Buffer.concat([u32(0x1000f01, samples.length, dataOffset), rows(samples)])),
          ]),
        ),
      ]),
    )
  return Buffer.concat([moof(moof(0).length + 8), box('mdat', Buffer.alloc(size, fill))])
}

function rows(samples: readonly LiteralSample[]): Buffer {
  return Buffer.concat(
    samples.map(({ durationTicks, bytes, isSync, compositionTicks }) =>
      u32(durationTicks, bytes, isSync ? 0x2000000 : 0x1010000, compositionTicks >>> 0),
    ),
  )
}

function u32(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 * values.length)
  for (const [i, value] of values.entries()) bytes.writeUInt32BE(value, 4 * i)
  return bytes
}

function u64(value: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(BigInt(value))
  return bytes
}
