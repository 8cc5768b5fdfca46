import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decodable, type Piece } from './decodable.ts'
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

/** ffmpeg says when it reads the EXT-X-MAP of a live list again, and when there are no pictures to leave unfiltered. */
const HARMLESS = [/Found duplicated MOOV Atom/, /^Codec AVOption skip_loop_filter .* not been used/]
const GAP_MS = 1
/** So many files are given to one ffmpeg: to start one costs as much as to decode some seconds. */
const FILES_AT_ONCE = 48

/**
 * Decodes every frame of an fMP4 file or an HLS URL with ffmpeg, and looks at its packets.
 * Rejects only when the tool cannot run; what it finds wrong is in `warnings` and `gaps`.
 */
export async function decodeWithoutWarning(
  media: Buffer | string,
  options: DecodeOptions = {},
): Promise<Decoded> {
  if (typeof media === 'string') return inspect(media, options)
  return withFiles([media], ([file = '']) => inspect(file, options))
}

/**
 * What {@link decodeWithoutWarning} says of each of several files of one track. Pieces that this process has decoded without
 * a warning are not decoded again: of them only the times are looked at.
 */
export async function decodeEach(media: readonly Buffer[]): Promise<readonly Decoded[]> {
  const files = media.map(decodable)
  const unseen = files.flat().filter(({ key }) => !seen.has(key))
  const fresh = [...new Map(unseen.map((piece) => [piece.key, piece])).values()]
  for (let i = 0; i < fresh.length; i += FILES_AT_ONCE) {
    await decodeTogether(fresh.slice(i, i + FILES_AT_ONCE))
  }
  const decoded: Decoded[] = []
  for (const [i, pieces] of files.entries()) {
    decoded.push(joined(pieces) ?? (await decodeWithoutWarning(media[i] ?? NO_MEDIA)))
  }
  return decoded
}

const NO_MEDIA = Buffer.alloc(0)

interface Seen {
  /** With decode times from the piece's own beginning on. */
  readonly packets: Packets
  readonly frames: number
}

/** What decoded without a warning, by the pieces' keys. */
const seen = new Map<string, Seen>()

/** Nothing tells whose a warning is: then none of them counts as seen. */
async function decodeTogether(pieces: readonly Piece[]): Promise<void> {
  const media = pieces.map(({ bytes }) => bytes)
  const { warnings, packets, frames } = await withFiles(media, (files) => runDecoder(files))
  if (warnings.length > 0 || packets.size !== pieces.length || frames.size !== pieces.length) return
  for (const [i, { key, beginTicks }] of pieces.entries()) {
    const own = packets.get(i) ?? NO_PACKETS
    const list = own.list.map((packet) => ({ ...packet, dts: packet.dts - beginTicks }))
    seen.set(key, { packets: { ...own, list }, frames: frames.get(i) ?? 0 })
  }
}

/** What is known of pieces that follow on each other; undefined unless all were seen. */
function joined(pieces: readonly Piece[]): Decoded | undefined {
  const parts = pieces.flatMap(({ key }) => seen.get(key) ?? [])
  if (parts.length < pieces.length) return undefined
  const list = parts.flatMap(({ packets }, i) => {
    const { beginTicks = 0, durationTicks = 0 } = pieces[i] ?? {}
    const [firstDts = 0] = packets.list.map(({ dts }) => dts)
    return packets.list.map(({ dts, duration }, k) => {
      // Of the last packet of all ffmpeg tells the codec's duration, of those before it the container's.
      const isSeam = i < pieces.length - 1 && k === packets.list.length - 1
      return {
        dts: beginTicks + dts,
        duration: isSeam ? firstDts + durationTicks - dts : duration,
      }
    })
  })
  const frames = parts.reduce((sum, part) => sum + part.frames, 0)
  const whole = { ...(parts[0]?.packets ?? NO_PACKETS), list }
  return { warnings: [], streams: [summary(whole, frames)] }
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
  const { warnings, packets, frames } = await runDecoder([source], options)
  const streams = [...packets].map(([index, list]) => summary(list, frames.get(index) ?? 0))
  return { warnings: [...warnings, ...(streams.length === 0 ? ['no packet'] : [])], streams }
}

interface Packets {
  readonly type: string
  readonly tickS: number
  /** In ticks. */
  readonly list: readonly { readonly dts: number; readonly duration: number }[]
}

const NO_PACKETS: Packets = { type: '', tickS: Number.NaN, list: [] }

interface DecoderRun {
  readonly warnings: readonly string[]
  /** Decoded frames by stream, in the order of the inputs. */
  readonly frames: ReadonlyMap<number, number>
  /** By stream, in the order of the inputs. */
  readonly packets: ReadonlyMap<number, Packets>
}

/**
 * One ffmpeg with two outputs, both a line for each frame: what comes out of the decoders, and the packets as they are in the
 * file.
 */
async function runDecoder(
  inputs: readonly string[],
  options: DecodeOptions = {},
): Promise<DecoderRun> {
  const limit = options.durationS === undefined ? [] : ['-t', String(options.durationS)]
  const folder = await mkdtemp(join(tmpdir(), 'kvs-packets-'))
  try {
    const file = join(folder, 'packets')
    const maps = inputs.flatMap((_, i) => ['-map', String(i)])
    // The deblocking filter smooths what was decoded, and finds nothing wrong.
    const each = ['-threads', '1', '-skip_loop_filter', 'all', ...limit, '-i']
    // Passed through, frames are not evened out; wrapped, their pixels are not copied.
    const asFrames = ['-fps_mode', 'passthrough', '-c:v', 'wrapped_avframe', '-f', 'framecrc']
    const asPackets = ['-c', 'copy', '-avoid_negative_ts', 'disabled', '-f', 'framecrc']
    const args = [
      ['-nostdin', '-hide_banner', '-v', 'warning', '-copyts'],
      inputs.flatMap((input) => [...each, input]),
      [...maps, ...asFrames, 'pipe:1'],
      [...maps, ...asPackets, file],
    ].flat()
    const { stdout, stderr, code } = await runTool('ffmpeg', args, options)
    const failed = code === 0 ? [] : [`ffmpeg exited with ${code}`]
    const warnings = stderr.filter((line) => !HARMLESS.some((harmless) => harmless.test(line)))
    return {
      warnings: [...warnings, ...failed],
      frames: new Map([...readLines(stdout.toString())].map(([i, { list }]) => [i, list.length])),
      packets: readLines(existsSync(file) ? await readFile(file, 'utf8') : ''),
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Reads what `-f framecrc` writes: a head with time base and type of each stream, and a line for each packet. */
function readLines(text: string): ReadonlyMap<number, Packets> {
  const tick = new Map<string, number>()
  for (const [, index = '', num, den] of text.matchAll(/^#tb (\d+): (\d+)\/(\d+)$/gm)) {
    tick.set(index, Number(num) / Number(den))
  }
  const streams = new Map<number, Packets & { list: { dts: number; duration: number }[] }>()
  for (const [, index = '', type = ''] of text.matchAll(/^#media_type (\d+): (\w+)$/gm)) {
    streams.set(Number(index), { type, tickS: tick.get(index) ?? Number.NaN, list: [] })
  }
  for (const [, index, dts, duration] of text.matchAll(/^(\d+), *(-?\d+), *-?\d+, *(\d+),/gm)) {
    streams.get(Number(index))?.list.push({ dts: Number(dts), duration: Number(duration) })
  }
  return streams
}

function summary({ type, tickS, list }: Packets, frames: number): DecodedStream {
  const last = list.at(-1)
  const gaps = list.flatMap(({ dts }, i): PacketGap[] => {
    const before = list[i - 1]
    if (before === undefined) return []
    const at = before.dts + before.duration
    const gapMs = (dts - at) * tickS * 1000
    return Math.abs(gapMs) > GAP_MS ? [{ atS: at * tickS, gapMs }] : []
  })
  return {
    type,
    frames,
    packets: list.length,
    gaps,
    startS: (list[0]?.dts ?? Number.NaN) * tickS,
    endS: last === undefined ? Number.NaN : (last.dts + last.duration) * tickS,
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
