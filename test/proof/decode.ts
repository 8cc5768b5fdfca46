import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decodable, type Piece } from './decodable.ts'
import { type DecoderOptions, type PacketStream, runDecoder } from './decoder-run.ts'
import { type RunOptions, runTool } from './ffmpeg.ts'
import { lookAt, type MediaLook } from './look-at-media.ts'

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

const GAP_MS = 1
/** So many files are given to one ffmpeg: to start one costs as much as to decode some seconds. */
const FILES_AT_ONCE = 48

/**
 * Decodes every frame of an fMP4 file or an HLS URL with ffmpeg, and looks at its packets.
 * Rejects only when the tool cannot run; what it finds wrong is in `warnings` and `gaps`.
 */
export async function decodeWithoutWarning(
  media: Buffer | string,
  options: DecoderOptions = {},
): Promise<Decoded> {
  return typeof media === 'string' ? inspect(media, options) : told(await lookAt(media))
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

/** What decoded without a warning, by the pieces' keys, with times from the piece's own beginning on. */
const seen = new Map<string, PacketStream>()

/** Nothing tells whose a warning is: then none of them counts as seen. */
async function decodeTogether(pieces: readonly Piece[]): Promise<void> {
  const media = pieces.map(({ bytes }) => bytes)
  const { warnings, inputs } = await withFiles(media, (files) => runDecoder(files))
  if (warnings.length > 0 || inputs.some(({ length }) => length !== 1)) return
  for (const [i, { key, beginTicks }] of pieces.entries()) {
    const own = inputs[i]?.[0] ?? NO_STREAM
    const packets = own.packets.map((packet) => ({ ...packet, dts: packet.dts - beginTicks }))
    seen.set(key, { ...own, packets })
  }
}

/** What is known of pieces that follow on each other; undefined unless all were seen. */
function joined(pieces: readonly Piece[]): Decoded | undefined {
  const parts = pieces.flatMap(({ key }) => seen.get(key) ?? [])
  if (parts.length < pieces.length) return undefined
  const packets = parts.flatMap((part, i) => {
    const { beginTicks = 0, durationTicks = 0 } = pieces[i] ?? {}
    const firstDts = part.packets[0]?.dts ?? 0
    return part.packets.map((packet, k) => {
      // Of the last packet of all ffmpeg tells the codec's duration, of those before it the container's.
      const isSeam = i < pieces.length - 1 && k === part.packets.length - 1
      const duration = isSeam ? firstDts + durationTicks - packet.dts : packet.duration
      return { ...packet, dts: beginTicks + packet.dts, duration }
    })
  })
  const frames = parts.flatMap((part) => part.frames)
  const whole = { ...(parts[0] ?? NO_STREAM), packets, frames }
  return { warnings: [], streams: [summary(whole)] }
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

async function inspect(source: string, options: DecoderOptions): Promise<Decoded> {
  const { warnings, inputs } = await runDecoder([source], options)
  return told({ warnings, streams: inputs[0] ?? [] })
}

function told({ warnings, streams }: MediaLook): Decoded {
  const none = streams.length === 0 ? ['no packet'] : []
  return { warnings: [...warnings, ...none], streams: streams.map(summary) }
}

const NO_STREAM: PacketStream = { type: '', tickS: Number.NaN, packets: [], frames: [] }

function summary({ type, tickS, packets: told, frames }: PacketStream): DecodedStream {
  const usual = usualStep(told)
  // Of Opus and FLAC it is not told how long a packet lasts.
  const packets = told.map((packet) => ({
    ...packet,
    duration: packet.duration > 0 ? packet.duration : usual,
  }))
  const last = packets.at(-1)
  const gaps = packets.flatMap(({ dts }, i): PacketGap[] => {
    const before = packets[i - 1]
    if (before === undefined) return []
    const at = before.dts + before.duration
    const gapMs = (dts - at) * tickS * 1000
    return Math.abs(gapMs) > GAP_MS ? [{ atS: at * tickS, gapMs }] : []
  })
  return {
    type,
    frames: frames.length,
    packets: packets.length,
    gaps,
    startS: (packets[0]?.dts ?? Number.NaN) * tickS,
    endS: last === undefined ? Number.NaN : (last.dts + last.duration) * tickS,
  }
}

/** Returns how far apart most packets are. */
function usualStep(packets: PacketStream['packets']): number {
  const steps = packets.slice(1).map(({ dts }, i) => dts - (packets[i]?.dts ?? dts))
  return steps.toSorted((a, b) => a - b)[steps.length >> 1] ?? 0
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
