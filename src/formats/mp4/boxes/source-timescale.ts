import { type Box, readChildren, writeBox } from './box.ts'
import { Fields, u32 } from './fields.ts'

/** Names the box as ours. ISO/IEC 14496-12, 11.1. */
const OURS = Buffer.from('7b1f0c5e9d0a4b52a4c3e6f2d8517a94', 'hex')

/**
 * Reads a box of our own in moov: the timescale that the track's fragments have where they come from, which a fragment
 * that is fetched again has once more.
 * @returns undefined when the track has the timescale that it always had
 */
export function readSourceTimescale(bytes: Buffer, moov: Box): number | undefined {
  for (const box of readChildren(bytes, moov)) {
    if (box.type !== 'uuid' || box.size !== box.headerSize + OURS.length + 4) continue
    const fields = new Fields(bytes, box)
    if (fields.take(OURS.length).equals(OURS)) return fields.uint32()
  }
  return undefined
}

export function writeSourceTimescale(timescale: number): Buffer {
  return writeBox('uuid', [OURS, u32(timescale)])
}
