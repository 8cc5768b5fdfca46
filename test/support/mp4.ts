import { readFileSync } from 'node:fs'
import {
  endOf,
  payloadStart,
  readBoxes,
  readChildren,
  theOnly,
} from '../../src/formats/mp4/boxes/box.ts'

/** What ffmpeg wrote as one file, cut into what an origin would serve. */
export interface Clip {
  readonly init: Buffer
  readonly fragments: readonly Buffer[]
}

export const CLIPS = [
  'avc',
  'avc-bframes',
  'avc-dash',
  'avc-base-offset',
  'avc-multi',
  'hevc',
  'aac',
] as const

export type ClipName = (typeof CLIPS)[number]

const GOLDEN = new URL('../formats/mp4/golden/', import.meta.url)
/** avc-multi has five chunks to a keyframe. */
const CHUNKS_PER_FRAGMENT: Partial<Record<ClipName, number>> = { 'avc-multi': 5 }

export function readClip(name: ClipName): Clip {
  const file = readFileSync(new URL(`${name}.mp4`, GOLDEN))
  const boxes = readBoxes(file).filter(({ type }) => type !== 'mfra')
  const moov = theOnly(boxes, 'moov', 'file')
  return {
    init: file.subarray(0, endOf(moov)),
    fragments: cut(file, endOf(moov), CHUNKS_PER_FRAGMENT[name] ?? 1),
  }
}

export const MUXED = ['muxed', 'muxed-apart', 'muxed-omitted'] as const

/** A file of two tracks: what stands before the fragments, and all fragments. */
export function readMuxed(name: (typeof MUXED)[number]): {
  readonly file: Buffer
  readonly init: Buffer
  readonly media: Buffer
} {
  const file = readFileSync(new URL(`${name}.mp4`, GOLDEN))
  const boxes = readBoxes(file).filter(({ type }) => type !== 'mfra')
  const moovEnd = endOf(theOnly(boxes, 'moov', 'file'))
  const end = Math.max(...boxes.map(endOf))
  return { file, init: file.subarray(0, moovEnd), media: file.subarray(moovEnd, end) }
}

function cut(file: Buffer, from: number, chunks: number): Buffer[] {
  const ends = readBoxes(file)
    .filter(({ type }) => type === 'mdat')
    .map(endOf)
    .filter((_, i) => (i + 1) % chunks === 0)
  return ends.map((end, i) => file.subarray(ends[i - 1] ?? from, end))
}

/** The same fragment with a 32-bit tfdt, as other muxers write it. One chunk, no other boxes. */
export function withShortTfdt(fragment: Buffer, baseTicks: number): Buffer {
  const moof = theOnly(readBoxes(fragment), 'moof', 'fragment')
  const traf = theOnly(readChildren(fragment, moof), 'traf', 'moof')
  const inTraf = readChildren(fragment, traf)
  const tfdt = theOnly(inTraf, 'tfdt', 'traf')
  const trun = theOnly(inTraf, 'trun', 'traf')
  const shorter = Buffer.concat([
    fragment.subarray(0, tfdt.start + 16),
    fragment.subarray(tfdt.start + 20),
  ])
  shorter.writeUInt32BE(moof.size - 4, moof.start)
  shorter.writeUInt32BE(traf.size - 4, traf.start)
  shorter.writeUInt32BE(16, tfdt.start)
  shorter.writeUInt8(0, payloadStart(tfdt))
  shorter.writeUInt32BE(baseTicks, payloadStart(tfdt) + 4)
  const offsetAt = payloadStart(trun) + 8 - 4
  shorter.writeInt32BE(shorter.readInt32BE(offsetAt) - 4, offsetAt)
  return shorter
}

export function box(type: string, payload: Buffer = Buffer.alloc(0)): Buffer {
  const header = Buffer.alloc(8)
  header.writeUInt32BE(8 + payload.length, 0)
  header.write(type, 4, 'latin1')
  return Buffer.concat([header, payload])
}

/** The media data of all mdat boxes. */
export function mediaData(fragment: Buffer): Buffer {
  const mdats = readBoxes(fragment).filter(({ type }) => type === 'mdat')
  return Buffer.concat(mdats.map((mdat) => fragment.subarray(payloadStart(mdat), endOf(mdat))))
}
