import { unsupported } from '../mp4-error.ts'
import { type Box, describe } from './box.ts'
import { Fields, i32, i64, u16, u32, u64, writeFullBox } from './fields.ts'

/** A stretch of a track's media, and for how long it is shown. ISO/IEC 14496-12, 8.6.6. */
export interface Edit {
  /** How long it is shown, in ticks of the movie. */
  readonly duration: bigint
  /** Where in the media it begins, in ticks of the track; −1 where nothing is shown. */
  readonly mediaTime: bigint
  /** The speed, as integer and fraction. */
  readonly rate: readonly [number, number]
}

/** Edit list: which parts of a track's media are shown, and when. */
export interface Elst {
  readonly version: 0 | 1
  readonly edits: readonly Edit[]
}

export const NORMAL_SPEED = [1, 0] as const

/**
 * Reads the box.
 * @throws Mp4Error when it is cut off
 */
export function readElst(bytes: Buffer, box: Box): Elst {
  const fields = new Fields(bytes, box)
  const { version } = fields.versionAndFlags()
  if (version !== 0 && version !== 1) throw unsupported(`${describe(box)} has version ${version}`)
  const edits: Edit[] = []
  for (let left = fields.uint32(); left > 0; left -= 1) {
    const duration = version === 1 ? fields.uint64() : BigInt(fields.uint32())
    const mediaTime = version === 1 ? fields.int64() : BigInt(fields.int32())
    edits.push({ duration, mediaTime, rate: [fields.uint16(), fields.uint16()] })
  }
  return { version, edits }
}

export function writeElst({ version, edits }: Elst): Buffer {
  const rows = edits.flatMap(({ duration, mediaTime, rate }) => [
    version === 1 ? u64(duration) : u32(Number(duration)),
    version === 1 ? i64(mediaTime) : i32(Number(mediaTime)),
    u16(...rate),
  ])
  return writeFullBox('elst', { version }, [u32(edits.length), ...rows])
}
