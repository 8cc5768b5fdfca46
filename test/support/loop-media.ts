import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** One rendition of a scene that can be repeated for ever: its init segment and one-second fragments. */
export interface LoopTrack {
  readonly init: Buffer
  /** The nth fragment of an endless repetition, with its own decode time. */
  fragment(n: number): Buffer
}

export interface LoopMedia {
  readonly video: LoopTrack
  readonly audio: LoopTrack
}

/** 8 s are exactly 375 AAC frames at 48 kHz: the sound has no seam. */
const LOOP_SECONDS = 8

/** Encodes a moving test scene with sound; takes about a second for small pictures. Needs ffmpeg. */
export async function makeLoopMedia(size: string): Promise<LoopMedia> {
  const folder = await mkdtemp(join(tmpdir(), 'loop-media-'))
  try {
    await encode(folder, size)
    const video = await readTrack(folder, 'video')
    const audio = await readTrack(folder, 'audio')
    return { video, audio }
  } finally {
    await rm(folder, { recursive: true })
  }
}

async function encode(folder: string, size: string): Promise<void> {
  const command = `-v error
    -f lavfi -i testsrc2=size=${size}:rate=15
    -f lavfi -i sine=frequency=440:beep_factor=4:sample_rate=48000
    -map 0:v -c:v libx264 -preset ultrafast -pix_fmt yuv420p -g 15 -sc_threshold 0 -bf 0
    ${output('video')}
    -map 1:a -c:a aac -b:a 64k ${output('audio')}`
  await run('ffmpeg', command.split(/\s+/), { cwd: folder })
}

function output(track: string): string {
  return `-t ${LOOP_SECONDS} -f hls -hls_time 1 -hls_list_size 0 -hls_segment_type fmp4
    -hls_fmp4_init_filename ${track}-init.mp4 -hls_segment_filename ${track}-%03d.m4s ${track}.m3u8`
}

async function readTrack(folder: string, track: string): Promise<LoopTrack> {
  const names = (await readdir(folder)).filter((name) => name.startsWith(`${track}-0`)).sort()
  const files = names.slice(0, LOOP_SECONDS).map((name) => readFile(join(folder, name)))
  const fragments = await Promise.all(files)
  if (fragments.length < LOOP_SECONDS) throw new Error(`ffmpeg made ${fragments.length} fragments`)
  const init = await readFile(join(folder, `${track}-init.mp4`))
  const timescale = timescaleOf(init)
  return { init, fragment: (n) => shifted(fragments, n, timescale) }
}

/** ISO/IEC 14496-12, 8.4.2: behind type, version, flags and two 32-bit times of a version-0 mdhd. */
function timescaleOf(init: Buffer): number {
  return init.readUInt32BE(init.indexOf('mdhd') + 16)
}

/** ISO/IEC 14496-12, 8.8.12: a version-1 tfdt holds 64 bits after its type, version and flags. */
function shifted(fragments: readonly Buffer[], n: number, timescale: number): Buffer {
  const source = fragments[n % fragments.length]
  if (source === undefined) throw new RangeError(`no fragment ${n}`)
  const copy = Buffer.from(source)
  const at = copy.indexOf('tfdt') + 8
  const loops = BigInt(Math.floor(n / fragments.length))
  const shift = loops * BigInt(LOOP_SECONDS * timescale)
  copy.writeBigUInt64BE(copy.readBigUInt64BE(at) + shift, at)
  return copy
}
