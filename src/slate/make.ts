/**
 * Makes the pictures that are shown in place of a camera: `npm run slates`.
 *
 * Needs ffmpeg with libx264, libx265 and drawtext. The results are committed, so only who changes them
 * runs this.
 */
import { execFile } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { PICTURES, PICTURES_FOLDER, type Picture } from './pictures.ts'

const run = promisify(execFile)

/**
 * How long each film is: KVS's longest fragment, because a segment of any length takes as many of its frames as it
 * needs.
 */
const SECONDS = 20
/**
 * How many frames it has a second: few, as nothing moves; enough for decoders that dislike a picture every few seconds.
 */
const FRAMES_PER_SECOND = 10

/** Makes the same bytes on every machine with this ffmpeg. */
const REPRODUCIBLE = ['-fflags', '+bitexact', '-flags', '+bitexact', '-threads', '1']

/**
 * Encodes one key frame, and after it only frames that repeat the one before. There is no reordering, so that a segment
 * may end after any of them.
 */
const ENCODERS = {
  avc: '-c:v libx264 -profile:v baseline -preset veryslow -tune stillimage -crf 22 -bf 0 -refs 1 -x264-params keyint=9999:scenecut=0',
  hevc: '-c:v libx265 -preset slower -crf 24 -tag:v hvc1 -x265-params keyint=9999:scenecut=0:bframes=0:ref=1:info=0:pools=1:frame-threads=1:log-level=error',
} as const

await mkdir(PICTURES_FOLDER, { recursive: true })
for (const picture of PICTURES) await make(picture)

async function make({ codec, width, height, file }: Picture): Promise<void> {
  const size = `${width}x${height}`
  const ground = `color=c=0x16202b:s=${size}:r=${FRAMES_PER_SECOND}:d=${SECONDS}`
  const says = line('The camera is away', 'h/11', '0xd5dde6', 'h*0.47')
  const soothes = line('The picture comes back by itself', 'h/24', '0x8b98a5', 'h*0.60')
  const input = ['-f', 'lavfi', '-i', [ground, says, soothes].join(',')]
  const output = ['-pix_fmt', 'yuv420p', ...ENCODERS[codec].split(' '), ...REPRODUCIBLE]
  const target = fileURLToPath(new URL(file, PICTURES_FOLDER))
  await run('ffmpeg', ['-v', 'error', '-y', ...input, ...output, target])
}

/** Draws a line of text. Debian's and most other systems have the font under this name. */
function line(text: string, size: string, colour: string, middle: string): string {
  const place = `x=(w-text_w)/2:y=${middle}-text_h/2`
  return `drawtext=font=DejaVu Sans:text='${text}':fontsize=${size}:fontcolor=${colour}:${place}`
}
