import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type RunOptions, runTool } from './ffmpeg.ts'

/** A packet as it is in the file, in ticks of its stream. */
export interface Packet {
  readonly dts: number
  readonly pts: number
  /** As the container says, or as the codec does; 0 if neither. */
  readonly duration: number
  readonly bytes: number
  readonly key: boolean
}

export interface PacketStream {
  readonly type: string
  readonly tickS: number
  readonly packets: readonly Packet[]
  /** Frames (video) or blocks of samples (audio) that came out of the decoder, in the order in which they are shown. */
  readonly frames: readonly Frame[]
}

export interface Frame {
  readonly atS: number
  /** Of its pixels or samples, if these were asked for. */
  readonly checksum: string
}

export interface DecoderRun {
  /** Of all inputs: ffmpeg does not tell which of them it means. */
  readonly warnings: readonly string[]
  /** The streams of each input. */
  readonly inputs: readonly (readonly PacketStream[])[]
}

export interface DecoderOptions extends Omit<RunOptions, 'input'> {
  /** Stop after this many seconds of media: a live URL has no end. */
  readonly durationS?: number
  /** Whether checksums of what was decoded are asked for. */
  readonly pixels?: boolean
}

/** ffmpeg says when it reads the EXT-X-MAP of a live list again, and when there are no pictures to leave unfiltered. */
const HARMLESS = [/Found duplicated MOOV Atom/, /^Codec AVOption skip_loop_filter .* not been used/]

/**
 * Decodes every frame of some files or URLs in one ffmpeg, and looks at their packets. Of each input there are two outputs,
 * both a line for each frame: what comes out of the decoders, and the packets as they are.
 */
export async function runDecoder(
  sources: readonly string[],
  { durationS, pixels = false, ...options }: DecoderOptions = {},
): Promise<DecoderRun> {
  const limit = durationS === undefined ? [] : ['-t', String(durationS)]
  const folder = await mkdtemp(join(tmpdir(), 'kvs-packets-'))
  const framesOf = (i: number): string => join(folder, `frames-${i}`)
  const packetsOf = (i: number): string => join(folder, `packets-${i}`)
  try {
    // The deblocking filter smooths what was decoded, and finds nothing wrong.
    const unfiltered = pixels ? [] : ['-skip_loop_filter', 'all']
    const each = ['-threads', '1', ...unfiltered, ...limit, '-i']
    // Wrapped, the pixels are not copied.
    const frames = pixels ? ['-f', 'framemd5'] : ['-c:v', 'wrapped_avframe', '-f', 'framecrc']
    // Passed through, frames are not evened out.
    const asFrames = ['-fps_mode', 'passthrough', '-enc_time_base', '1:1000000', ...frames]
    const asIs = ['-c', 'copy', '-copyinkf', '-avoid_negative_ts', 'disabled']
    const asPackets = [...asIs, '-f', 'framecrc']
    const args = [
      ['-nostdin', '-hide_banner', '-v', 'warning', '-copyts'],
      sources.flatMap((source) => [...each, source]),
      sources.flatMap((_, i) => ['-map', String(i), ...asFrames, framesOf(i)]),
      sources.flatMap((_, i) => ['-map', String(i), ...asPackets, packetsOf(i)]),
    ].flat()
    const { stderr, code } = await runTool('ffmpeg', args, options)
    const failed = code === 0 ? [] : [`ffmpeg exited with ${code}`]
    const warnings = stderr.filter((line) => !HARMLESS.some((harmless) => harmless.test(line)))
    const inputs = sources.map(async (_, i) =>
      streamsOf(await textOf(framesOf(i)), await textOf(packetsOf(i))),
    )
    return { warnings: [...warnings, ...failed], inputs: await Promise.all(inputs) }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Of a file that ffmpeg did not come to, nothing. */
async function textOf(file: string): Promise<string> {
  return existsSync(file) ? readFile(file, 'utf8') : ''
}

function streamsOf(framesText: string, packetsText: string): readonly PacketStream[] {
  const [decoded, packed] = [linesByStream(framesText), linesByStream(packetsText)]
  const [frameTicks, packetTicks] = [ticksByStream(framesText), ticksByStream(packetsText)]
  const kinds = packetsText.matchAll(/^#media_type (\d+): (\w+)$/gm)
  return Array.from(kinds, ([, index = '', type = '']) => ({
    type,
    tickS: packetTicks.get(index) ?? Number.NaN,
    packets: (packed.get(index) ?? []).map(readPacket),
    frames: (decoded.get(index) ?? []).map((line) =>
      readFrame(line, frameTicks.get(index) ?? Number.NaN),
    ),
  }))
}

/** How long a tick of each stream lasts, in seconds. */
function ticksByStream(text: string): ReadonlyMap<string, number> {
  const heads = text.matchAll(/^#tb (\d+): (\d+)\/(\d+)$/gm)
  return new Map(
    Array.from(heads, ([, index = '', num, den]) => [index, Number(num) / Number(den)]),
  )
}

function linesByStream(text: string): ReadonlyMap<string, readonly string[]> {
  return Map.groupBy(
    text.split('\n').filter((line) => /^\d/.test(line)),
    (line) => line.slice(0, line.indexOf(',')),
  )
}

/** A line of `-f framecrc`: stream, dts, pts, duration, size, checksum, and flags where they are not those of a key frame. */
function readPacket(line: string): Packet {
  const [, dts, pts, duration, bytes] = line.split(',').map(Number)
  const flags = /, F=0x(\w+)/.exec(line)?.[1]
  return {
    dts: dts ?? Number.NaN,
    pts: pts ?? Number.NaN,
    duration: duration ?? Number.NaN,
    bytes: bytes ?? Number.NaN,
    key: flags === undefined || (Number.parseInt(flags, 16) & 1) === 1,
  }
}

function readFrame(line: string, tickS: number): Frame {
  const [, , pts, , , checksum = ''] = line.split(',').map((field) => field.trim())
  return { atS: Number(pts) * tickS, checksum }
}
