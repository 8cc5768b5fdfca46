import { descend, only, readBoxes } from './boxes.ts'
import { runTool } from './ffmpeg.ts'
import { readInitSegment } from './init-segment.ts'

/** A short track made by a real encoder: init segment and fragments of one second. */
export interface EncodedTrack {
  readonly init: Buffer
  readonly fragments: readonly Buffer[]
}

const VIDEO_ARGS =
  '-f lavfi -i testsrc2=size=160x90:rate=25 -c:v libx264 -preset ultrafast -g 25 -bf 2'
const AUDIO_ARGS = '-f lavfi -i sine=frequency=440:sample_rate=48000 -c:a aac -b:a 64k'

/** @param seconds how much to encode; a second takes some 20 ms */
export async function encodeTrack(kind: 'video' | 'audio', seconds: number): Promise<EncodedTrack> {
  const source = (kind === 'video' ? VIDEO_ARGS : AUDIO_ARGS).split(' ')
  const output = `-t ${seconds} -frag_duration 1000000 -movflags cmaf+empty_moov -f mp4 pipe:1`
  const { stdout, stderr, code } = await runTool('ffmpeg', [
    '-v',
    'error',
    ...source,
    ...output.split(' '),
  ])
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

/** The same track, `seconds` later: ffmpeg's tfdt is always of version 1. */
export function delayed({ init, fragments }: EncodedTrack, seconds: number): EncodedTrack {
  const { timescale } = readInitSegment(init)
  return { init, fragments: fragments.map((bytes) => moved(bytes, BigInt(seconds * timescale))) }
}

function moved(fragment: Buffer, ticks: bigint): Buffer {
  const copy = Buffer.from(fragment)
  // Boxes are views, so writing to tfdt's body writes to the copy.
  const tfdt = descend(readBoxes(copy), 'moof', 'traf', 'tfdt').body
  tfdt.writeBigUInt64BE(tfdt.readBigUInt64BE(4) + ticks, 4)
  return copy
}
