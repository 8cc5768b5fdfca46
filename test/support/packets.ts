import { z } from 'zod'
import { runTool } from '../proof/ffmpeg.ts'

const packetSchema = z.object({
  codec_type: z.string(),
  pts_time: z.coerce.number(),
  dts_time: z.coerce.number(),
  size: z.coerce.number(),
  flags: z.string(),
})
const probedSchema = z.object({ packets: z.array(packetSchema) })

/** A packet as ffprobe sees it. */
export interface ProbedPacket {
  readonly ptsS: number
  readonly dtsS: number
  readonly bytes: number
  readonly key: boolean
}

/** The packets of the only track of a kind, in the order of the file. */
export async function probePackets(
  media: Buffer,
  kind: 'video' | 'audio',
): Promise<readonly ProbedPacket[]> {
  const args = ['-v', 'error', '-show_packets', '-of', 'json', '-']
  const { stdout } = await runTool('ffprobe', args, { input: media })
  return probedSchema
    .parse(JSON.parse(stdout.toString()))
    .packets.filter(({ codec_type }) => codec_type === kind)
    .map(({ pts_time, dts_time, size, flags }) => {
      return { ptsS: pts_time, dtsS: dts_time, bytes: size, key: flags.includes('K') }
    })
}

/** All that ffmpeg has to say while it decodes; nothing is best. */
export async function complaints(media: Buffer): Promise<readonly string[]> {
  const args = ['-nostdin', '-v', 'warning', '-threads', '1', '-i', '-', '-f', 'null', '-']
  const { stderr, code } = await runTool('ffmpeg', args, { input: media })
  return code === 0 ? stderr : [...stderr, `ffmpeg exited with ${code}`]
}

/** What ffmpeg makes of its test picture and tone with these options, of `seconds`. */
export async function encode(seconds: number, ...output: readonly string[]): Promise<Buffer> {
  const sources = ['testsrc2=size=320x180:rate=25', 'sine=frequency=440:sample_rate=48000']
  const inputs = sources.flatMap((source) => ['-f', 'lavfi', '-i', source])
  const fast = ['-threads', '1', '-preset', 'veryfast']
  const all = [...inputs, '-t', String(seconds), ...fast, ...output, 'pipe:1']
  const args = ['-nostdin', '-v', 'error', ...all]
  const { stdout, stderr, code } = await runTool('ffmpeg', args)
  if (code !== 0) throw new Error(`ffmpeg could not encode: ${stderr.join(' | ')}`)
  return stdout
}
