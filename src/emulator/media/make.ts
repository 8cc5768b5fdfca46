/**
 * Makes the clips that the emulator's cameras loop: `npm run media`, or `npm run media CLIP…`.
 *
 * Needs ffmpeg with libx264, libx265 and drawtext. The results are committed, so only who changes a
 * recipe runs this.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { writeMediaFragment } from '../mp4/media-fragment.ts'
import type { Sample } from '../mp4/sample.ts'
import type { TrackFile } from '../mp4/track-file.ts'
import { CLIPS_FOLDER, type ClipIndex } from './clip.ts'
import { encodeAudio, encodeVideo } from './encode.ts'
import { type ClipRecipe, fragmentStarts, RECIPES } from './recipes.ts'

const AAC_FRAME_TICKS = 1024
const AAC_RATE = 48_000

const names = process.argv.slice(2)
const wanted = RECIPES.filter(({ name }) => names.length === 0 || names.includes(name))
const workspace = await mkdtemp(join(tmpdir(), 'emulator-media-'))
try {
  for (const recipe of wanted) await makeClip(recipe, workspace)
} finally {
  await rm(workspace, { recursive: true })
}

async function makeClip(recipe: ClipRecipe, folder: string): Promise<void> {
  const target = join(CLIPS_FOLDER, recipe.name)
  await mkdir(target, { recursive: true })
  const starts = fragmentStarts(recipe)
  const video: string[] = []
  for (const [i, encoding] of recipe.video.entries()) {
    const track = await encodeVideo(recipe, encoding, folder)
    if (track.fragments.length !== starts.length) throw new Error(`${recipe.name}: stray key frame`)
    video.push(await save(target, `video-${i}.mp4`, track, track.fragments))
  }
  const audio = recipe.audio
    ? await makeAudio(target, recipe, await encodeAudio(recipe, folder))
    : undefined
  const index: ClipIndex = {
    loopMs: recipe.loopMs,
    frameRate: recipe.fps,
    startsMs: [...starts],
    video,
    audio,
  }
  await writeFile(join(target, 'index.json'), `${JSON.stringify(index, undefined, 2)}\n`)
}

async function makeAudio(target: string, recipe: ClipRecipe, track: TrackFile): Promise<string> {
  const frames = (recipe.loopMs * AAC_RATE) / 1000 / AAC_FRAME_TICKS
  // The encoder's first frame holds its priming, so that a loop's frame n is one later in the file.
  const loop = track.fragments.flat().slice(frames + 1, 2 * frames + 1)
  // The first frame that starts with the pictures or after them, so that no decode time falls below zero.
  const cuts = fragmentStarts(recipe).map((ms) =>
    Math.ceil((ms * AAC_RATE) / 1000 / AAC_FRAME_TICKS),
  )
  return save(
    target,
    'audio.mp4',
    track,
    cuts.map((from, i) => loop.slice(from, cuts[i + 1] ?? frames)),
  )
}

/** Writes a fragmented MP4 that any player opens. Returns its name. */
async function save(
  target: string,
  name: string,
  { init, trackId, timescale }: TrackFile,
  fragments: readonly (readonly Sample[])[],
): Promise<string> {
  const layout = { tfdtVersion: 1, moofs: 1, styp: false, sidx: false } as const
  let baseTicks = 0
  const media = fragments.map((samples, i) => {
    const bytes = writeMediaFragment(
      { trackId, timescale, sequenceNumber: i + 1, baseTicks, samples },
      layout,
    )
    baseTicks += samples.reduce((sum, { duration }) => sum + duration, 0)
    return bytes
  })
  await writeFile(join(target, name), Buffer.concat([init, ...media]))
  return name
}
