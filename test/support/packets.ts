import { runTool } from '../proof/ffmpeg.ts'
import { lookAt } from '../proof/look-at-media.ts'

/** A packet as ffmpeg sees it. */
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
  const { streams } = await lookAt(media)
  return streams
    .filter(({ type }) => type === kind)
    .flatMap(({ tickS, packets }) =>
      packets.map(({ pts, dts, bytes, key }) => {
        return { ptsS: pts * tickS, dtsS: dts * tickS, bytes, key }
      }),
    )
}

/** All that ffmpeg has to say while it decodes; nothing is best. */
export async function complaints(media: Buffer): Promise<readonly string[]> {
  return (await lookAt(media)).warnings
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
