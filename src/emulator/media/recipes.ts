/** How long loops last, or a multiple: 750 AAC frames at 48 kHz, so that there is no seam in the sound. */
const LOOP_MS = 16_000

export interface VideoEncoding {
  readonly encoder: 'libx264' | 'libx265'
  readonly profile: string
  readonly size: string
  readonly kbps: number
}

export interface ClipRecipe {
  readonly name: string
  readonly fps: number
  readonly bFrames: number
  readonly loopMs: number
  /** The lengths of the fragments; the sequence repeats until the loop is full. */
  readonly fragmentsMs: readonly number[]
  /** The same scene under two codec private data, or none for sound alone. */
  readonly video: readonly VideoEncoding[]
  readonly audio: boolean
  /** What is to be seen. Default: a moving scene with its name, a frame counter and a running clock. */
  readonly scene?: 'bar-code'
}

const x264 = (profile: string, size: string, kbps: number): VideoEncoding => ({
  encoder: 'libx264',
  profile,
  size,
  kbps,
})
const x265 = (size: string, kbps: number): VideoEncoding => ({
  encoder: 'libx265',
  profile: 'main',
  size,
  kbps,
})

export const RECIPES: readonly ClipRecipe[] = [
  {
    name: 'av-720p',
    fps: 25,
    bFrames: 2,
    loopMs: LOOP_MS,
    fragmentsMs: [2000],
    video: [x264('high', '1280x720', 350), x264('main', '1280x720', 350)],
    audio: true,
  },
  {
    name: 'av-360p',
    fps: 25,
    bFrames: 0,
    loopMs: LOOP_MS,
    fragmentsMs: [1000],
    video: [x264('main', '640x360', 220), x264('baseline', '640x360', 220)],
    audio: true,
  },
  {
    name: 'av-360p-irregular',
    fps: 20,
    bFrames: 0,
    loopMs: LOOP_MS,
    fragmentsMs: [4000, 1200, 3700, 4000, 3100],
    video: [x264('main', '640x360', 160), x264('baseline', '640x360', 160)],
    audio: true,
  },
  {
    // For browsers and players in tests, which decode and paint by the processor.
    name: 'av-180p',
    fps: 10,
    bFrames: 0,
    loopMs: LOOP_MS,
    fragmentsMs: [1000],
    video: [x264('main', '320x180', 50), x264('baseline', '320x180', 50)],
    audio: true,
  },
  {
    // KVS takes fragments of 1 to 20 s. KVS.md, section 10.
    name: 'av-180p-long',
    fps: 10,
    bFrames: 0,
    loopMs: 3 * LOOP_MS,
    fragmentsMs: [1000, 20_000, 3000, 7000, 1000, 16_000],
    video: [x264('main', '320x180', 36), x264('baseline', '320x180', 36)],
    audio: true,
  },
  {
    // As an encoder makes them whose key frames are too far apart. KVS.md, section 10.
    name: 'video-gop-20s',
    fps: 10,
    bFrames: 0,
    loopMs: 20_000,
    fragmentsMs: [20_000],
    video: [x264('main', '320x180', 36), x264('baseline', '320x180', 36)],
    audio: false,
  },
  {
    name: 'video-gop-400ms',
    fps: 10,
    bFrames: 0,
    loopMs: LOOP_MS,
    fragmentsMs: [400],
    video: [x264('main', '320x180', 60), x264('baseline', '320x180', 60)],
    audio: false,
  },
  {
    name: 'hevc',
    fps: 25,
    bFrames: 2,
    loopMs: LOOP_MS,
    fragmentsMs: [2000],
    video: [x265('640x360', 160), x265('480x270', 120)],
    audio: true,
  },
  {
    name: 'audio-only',
    fps: 25,
    bFrames: 0,
    loopMs: LOOP_MS,
    fragmentsMs: [2000],
    video: [],
    audio: true,
  },
  {
    name: 'video-only',
    fps: 15,
    bFrames: 0,
    loopMs: LOOP_MS,
    fragmentsMs: [2000],
    video: [x264('main', '640x360', 160), x264('main', '480x270', 120)],
    audio: false,
  },
  {
    // For programs that read off a picture when it was made. Its loop is longer than any player is behind.
    name: 'bar-code',
    fps: 10,
    bFrames: 0,
    loopMs: 5 * LOOP_MS,
    fragmentsMs: [1000],
    video: [x264('baseline', '160x96', 16)],
    audio: false,
    scene: 'bar-code',
  },
]

/** Returns where the fragments of a clip start, in milliseconds of the loop. */
export function fragmentStarts(recipe: ClipRecipe): readonly number[] {
  const starts: number[] = []
  for (let at = 0; at < recipe.loopMs; ) {
    const length = recipe.fragmentsMs[starts.length % recipe.fragmentsMs.length]
    if (length === undefined) throw new RangeError(`${recipe.name} has no fragment lengths`)
    starts.push(at)
    at += length
  }
  return starts
}
