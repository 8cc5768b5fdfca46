import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { z } from 'zod'

const run = promisify(execFile)

/** What ffmpeg has to say about a file when it decodes all of it; nothing is best. */
export async function decode(bytes: Buffer): Promise<string> {
  return inFile(bytes, async (file) => {
    const args = ['-v', 'warning', '-threads', '1', '-i', file, '-f', 'null', '-']
    const { stderr } = await run('ffmpeg', args)
    return stderr
  })
}

const packetsSchema = z.object({
  packets: z.array(
    z.object({
      stream_index: z.int(),
      codec_type: z.string(),
      pts: z.int(),
      dts: z.int(),
      duration: z.int().optional(),
      flags: z.string(),
    }),
  ),
})
export type Packet = z.output<typeof packetsSchema>['packets'][number]

/** All packets, as an independent demuxer sees them. */
export async function probe(bytes: Buffer): Promise<readonly Packet[]> {
  return inFile(bytes, async (file) => {
    const options = ['-v', 'error', '-show_packets', '-of', 'json', file]
    const { stdout } = await run('ffprobe', options, { maxBuffer: 2 ** 26 })
    return packetsSchema.parse(JSON.parse(stdout)).packets
  })
}

/** Where decode times do not follow on by the packets' own durations, in ticks. */
export function jumps(packets: readonly Packet[]): readonly number[] {
  return packets.flatMap((packet, i) => {
    const previous = packets[i - 1]
    const jump = previous === undefined ? 0 : packet.dts - previous.dts - lasting(previous)
    return jump === 0 ? [] : [jump]
  })
}

/** ffprobe does not know how long the first frame of an AAC track in MP4 lasts. */
function lasting({ codec_type, duration }: Packet): number {
  return duration ?? (codec_type === 'audio' ? 1024 : 0)
}

async function inFile<T>(bytes: Buffer, use: (file: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'emulator-test-'))
  try {
    const file = join(folder, 'media')
    await writeFile(file, bytes)
    return await use(file)
  } finally {
    await rm(folder, { recursive: true })
  }
}
