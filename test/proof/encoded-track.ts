import { descend, only, readBoxes } from './boxes.ts'
import { runTool } from './ffmpeg.ts'
import { readInitSegment } from './init-segment.ts'

/** A short track made by a real encoder: init segment and fragments. */
export interface EncodedTrack {
  readonly init: Buffer
  readonly fragments: readonly Buffer[]
}

const VIDEO_ARGS =
  '-f lavfi -i testsrc2=size=160x90:rate=25 -c:v libx264 -preset ultrafast -g 25 -bf 2'
const AUDIO_ARGS = '-f lavfi -i sine=frequency=440:sample_rate=48000 -c:a aac -b:a 64k'

/** @param seconds how much to encode; a second takes some 20 ms */
export function encodeTrack(kind: 'video' | 'audio', seconds: number): Promise<EncodedTrack> {
  const source = kind === 'video' ? VIDEO_ARGS : AUDIO_ARGS
  return encode(`${source} -t ${seconds} -frag_duration 1000000 -movflags cmaf+empty_moov`)
}

/** One track by ffmpeg's arguments, without those for the output file. */
export async function encode(args: string): Promise<EncodedTrack> {
  const command = `-v error ${args} -f mp4 pipe:1`.split(' ')
  const { stdout, stderr, code } = await runTool('ffmpeg', command)
  if (code !== 0) throw new Error(`ffmpeg could not encode: ${stderr.join(' | ')}`)
  return split(stdout)
}

function split(file: Buffer): EncodedTrack {
  const boxes = readBoxes(file)
  const initEnd = only(boxes, 'moov').end
  const moofs = boxes.filter(({ type }) => type === 'moof')
  const fragments = moofs.map(({ start }) => {
    const mdat = boxes.find((box) => box.type === 'mdat' && box.start > start)
    return file.subarray(start, mdat?.end)
  })
  return { init: file.subarray(0, initEnd), fragments }
}

/** The same track, `seconds` later. */
export function delayed({ init, fragments }: EncodedTrack, seconds: number): EncodedTrack {
  const ticks = BigInt(seconds * readInitSegment(init).timescale)
  return { init, fragments: fragments.map((bytes) => rebased(bytes, (base) => base + ticks)) }
}

/** A copy of a fragment with another tfdt: ffmpeg's is always of version 1. */
export function rebased(fragment: Buffer, change: (baseTicks: bigint) => bigint): Buffer {
  const copy = Buffer.from(fragment)
  // Boxes are views, so writing to tfdt's body writes to the copy.
  const tfdt = descend(readBoxes(copy), 'moof', 'traf', 'tfdt').body
  tfdt.writeBigUInt64BE(change(tfdt.readBigUInt64BE(4)), 4)
  return copy
}
