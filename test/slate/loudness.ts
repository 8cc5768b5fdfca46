import { runTool } from '../proof/ffmpeg.ts'

/** What ffmpeg hears in an fMP4 file of one track. */
export async function loudness(
  media: Buffer,
  { rate, channels }: { readonly rate: number; readonly channels: number },
): Promise<{ readonly peak: number; readonly seconds: number }> {
  const args = ['-v', 'error', '-i', 'pipe:0', '-f', 's16le', 'pipe:1']
  const { stdout, code } = await runTool('ffmpeg', args, { input: media })
  if (code !== 0) throw new Error('ffmpeg cannot decode it')
  const samples = new Int16Array(stdout.buffer, stdout.byteOffset, Math.floor(stdout.length / 2))
  return {
    peak: samples.reduce((peak, sample) => Math.max(peak, Math.abs(sample)), 0),
    seconds: samples.length / channels / rate,
  }
}
