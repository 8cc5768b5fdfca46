import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { readTrackFile, type TrackFile } from '../mp4/track-file.ts'
import { type ClipRecipe, fragmentStarts, type VideoEncoding } from './recipes.ts'

const run = promisify(execFile)

/** Makes the same bytes on every machine with this ffmpeg, whatever its number of cores. */
const REPRODUCIBLE = ['-fflags', '+bitexact', '-flags', '+bitexact', '-threads', '1']
const FRAGMENTED = [
  '-movflags',
  '+frag_keyframe+empty_moov+default_base_moof',
  '-use_editlist',
  '0',
]

/** Encodes the moving scene: one `moof` per fragment, each starting with a closed random access point. */
export async function encodeVideo(
  recipe: ClipRecipe,
  encoding: VideoEncoding,
  folder: string,
): Promise<TrackFile> {
  const file = join(folder, `${recipe.name}.${encoding.profile}.${encoding.size}.mp4`)
  const timing = `s=${encoding.size}:r=${recipe.fps}:d=${recipe.loopMs / 1000}`
  const scene =
    recipe.scene === 'bar-code'
      ? `color=${timing},${barCode()}`
      : `testsrc2=${timing},${caption(recipe)}`
  await ffmpeg(['-f', 'lavfi', '-i', scene, ...videoOptions(recipe, encoding), file])
  return readTrackFile(await readFile(file))
}

/**
 * Encodes three loops of beeps, of which the middle one joins onto itself: AAC frames overlap, so only a
 * frame whose neighbours are those of the loop decodes without a click at the seam.
 */
export async function encodeAudio(recipe: ClipRecipe, folder: string): Promise<TrackFile> {
  const file = join(folder, `${recipe.name}.audio.mp4`)
  const beep = `0.4*sin(2*PI*880*t)*lt(mod(t\\,1)\\,0.12)`
  const source = `aevalsrc='${beep}':s=48000:d=${(3 * recipe.loopMs) / 1000}`
  const codec = ['-c:a', 'aac', '-b:a', '48k', '-ac', '1', ...REPRODUCIBLE, ...FRAGMENTED]
  await ffmpeg(['-f', 'lavfi', '-i', source, ...codec, '-frag_duration', '2000000', file])
  return readTrackFile(await readFile(file))
}

/** Draws frame counter and running clock. Debian's and most other systems have the font under this name. */
function caption({ name }: ClipRecipe): string {
  const text = `${name}  frame %{n}  %{pts\\:hms}`
  return `drawtext=font=DejaVu Sans Mono:text='${text}':fontsize=h/18:fontcolor=white:box=1:boxcolor=black@0.7:boxborderw=6:x=h/20:y=h*0.86`
}

/**
 * Draws the picture's number in ten columns of 16 points, the lowest bit on the left, bright for 1; below, the opposite.
 */
function barCode(): string {
  const bit = 'mod(floor(N/pow(2,floor(X/16))),2)'
  return `geq=lum='16+219*abs(${bit}-gte(Y,48))':cb=128:cr=128`
}

function videoOptions(recipe: ClipRecipe, encoding: VideoEncoding): readonly string[] {
  const keyframes = fragmentStarts(recipe).map((ms) => ms / 1000)
  const peak = `${encoding.kbps * 1.5}k`
  return [
    ['-c:v', encoding.encoder, '-profile:v', encoding.profile, '-preset', 'slower'],
    ['-pix_fmt', 'yuv420p', '-b:v', `${encoding.kbps}k`, '-bf', String(recipe.bFrames)],
    ['-maxrate', peak, '-bufsize', peak],
    ['-forced-idr', '1', '-force_key_frames', keyframes.join(',')],
    encoderOptions(encoding),
    ['-video_track_timescale', '90000'],
    REPRODUCIBLE,
    FRAGMENTED,
  ].flat()
}

function encoderOptions({ encoder }: VideoEncoding): readonly string[] {
  // No key frame but those that start a fragment.
  const common = 'keyint=9999:scenecut=0:open-gop=0'
  return encoder === 'libx264'
    ? ['-x264-params', `${common}:b-pyramid=none`]
    : [
        '-x265-params',
        `${common}:b-pyramid=0:pools=1:frame-threads=1:log-level=error`,
        '-tag:v',
        'hvc1',
      ]
}

async function ffmpeg(options: readonly string[]): Promise<void> {
  await run('ffmpeg', ['-v', 'error', '-y', ...options])
}
