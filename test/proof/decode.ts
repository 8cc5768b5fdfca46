import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type RunOptions, runTool } from './ffmpeg.ts'

export interface DecodedStream {
  readonly type: string
  /** Frames (video) or blocks of samples (audio) that came out of the decoder. */
  readonly frames: number
  readonly packets: number
  /** Where a packet does not start at the end of the one before it, by more than 1 ms. */
  readonly gaps: readonly PacketGap[]
  readonly startS: number
  readonly endS: number
}

export interface PacketGap {
  /** Decode time at which the packet was due, in seconds. */
  readonly atS: number
  /** Positive: something is missing. Negative: an overlap. */
  readonly gapMs: number
}

export interface Decoded {
  /** All that ffmpeg had to say at `-v warning`, but for what is known to be harmless. */
  readonly warnings: readonly string[]
  readonly streams: readonly DecodedStream[]
}

export interface DecodeOptions extends Omit<RunOptions, 'input'> {
  /** Stop after this many seconds of media: a live URL has no end. */
  readonly durationS?: number
}

/** ffmpeg reads the EXT-X-MAP of a live list again at each reload, and says so. */
const HARMLESS = [/Found duplicated MOOV Atom/]
const GAP_MS = 1

/**
 * Decodes every frame of an fMP4 file or an HLS URL with ffmpeg, and looks at its packets with ffprobe.
 * Rejects only when the tools cannot run; what they find wrong is in `warnings` and `gaps`.
 */
export async function decodeWithoutWarning(
  media: Buffer | string,
  options: DecodeOptions = {},
): Promise<Decoded> {
  if (typeof media === 'string') return inspect(media, options)
  return withFiles([media], ([file = '']) => inspect(file, options))
}

/** One video and one audio track in one fMP4 file, each at the times that it has. */
export function mux(video: Buffer, audio: Buffer, options: RunOptions = {}): Promise<Buffer> {
  return withFiles([video, audio], async (files) => {
    const inputs = files.flatMap((file) => ['-i', file])
    // Without copyts each input would be moved to begin at zero, and their offset would be lost.
    const times = ['-copyts', '-avoid_negative_ts', 'disabled', '-use_editlist', '0']
    const flags = 'frag_keyframe+empty_moov+default_base_moof+frag_discont'
    const output = ['-c', 'copy', '-movflags', flags, '-f', 'mp4', 'pipe:1']
    const args = [
      '-nostdin',
      '-v',
      'error',
      ...inputs,
      '-map',
      '0',
      '-map',
      '1',
      ...times,
      ...output,
    ]
    const { stdout, stderr, code } = await runTool('ffmpeg', args, options)
    if (code !== 0) throw new Error(`ffmpeg could not mux: ${stderr.join(' | ')}`)
    return stdout
  })
}

async function inspect(source: string, options: DecodeOptions): Promise<Decoded> {
  const frames = await decodeFrames(source, options)
  const packets = await readPackets(source, options)
  const streams = [...packets].map(([index, list]) => summary(list, frames.counts.get(index) ?? 0))
  return { warnings: [...frames.warnings, ...(streams.length === 0 ? ['no packet'] : [])], streams }
}

interface Frames {
  readonly warnings: readonly string[]
  readonly counts: ReadonlyMap<number, number>
}

/** framecrc prints one line for each decoded frame; passthrough keeps ffmpeg from evening them out. */
async function decodeFrames(source: string, options: DecodeOptions): Promise<Frames> {
  const limit = options.durationS === undefined ? [] : ['-t', String(options.durationS)]
  const input = ['-nostdin', '-hide_banner', '-v', 'warning', '-i', source, ...limit]
  const output = ['-map', '0', '-fps_mode', 'passthrough', '-f', 'framecrc', 'pipe:1']
  const { stdout, stderr, code } = await runTool('ffmpeg', [...input, ...output], options)
  const counts = new Map<number, number>()
  for (const [, index] of stdout.toString().matchAll(/^(\d+),/gm)) {
    counts.set(Number(index), (counts.get(Number(index)) ?? 0) + 1)
  }
  const failed = code === 0 ? [] : [`ffmpeg exited with ${code}`]
  const warnings = stderr.filter((line) => !HARMLESS.some((harmless) => harmless.test(line)))
  return { warnings: [...warnings, ...failed], counts }
}

interface Packet {
  readonly type: string
  readonly dtsS: number
  readonly durationS: number
}

async function readPackets(
  source: string,
  options: DecodeOptions,
): Promise<ReadonlyMap<number, readonly Packet[]>> {
  const limit = options.durationS === undefined ? [] : ['-read_intervals', `%+${options.durationS}`]
  const entries = 'packet=codec_type,stream_index,dts_time,duration_time'
  const args = ['-v', 'error', ...limit, '-show_entries', entries, '-of', 'csv=p=0', source]
  const { stdout } = await runTool('ffprobe', args, options)
  const packets = new Map<number, Packet[]>()
  for (const line of stdout.toString().split('\n')) {
    const [type = '', index, dts, duration] = line.split(',')
    if (index === undefined) continue
    const stream = packets.get(Number(index)) ?? []
    stream.push({ type, dtsS: Number(dts), durationS: Number(duration) })
    packets.set(Number(index), stream)
  }
  return packets
}

function summary(packets: readonly Packet[], frames: number): DecodedStream {
  const first = packets[0]
  const last = packets.at(-1)
  const gaps = packets.flatMap(({ dtsS }, i): PacketGap[] => {
    const before = packets[i - 1]
    if (before === undefined) return []
    const atS = before.dtsS + before.durationS
    const gapMs = (dtsS - atS) * 1000
    return Math.abs(gapMs) > GAP_MS ? [{ atS, gapMs }] : []
  })
  return {
    type: first?.type ?? '',
    frames,
    packets: packets.length,
    gaps,
    startS: first?.dtsS ?? Number.NaN,
    endS: last === undefined ? Number.NaN : last.dtsS + last.durationS,
  }
}

/** Lends the bytes as files: ffmpeg takes two inputs only so, and looks ahead as it likes. */
async function withFiles<T>(
  contents: readonly Buffer[],
  use: (files: readonly string[]) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'kvs-proof-'))
  try {
    const files = contents.map((_bytes, i) => join(folder, `${i}.mp4`))
    await Promise.all(contents.map((bytes, i) => writeFile(files[i] ?? '', bytes)))
    return await use(files)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
