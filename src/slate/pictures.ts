/** Loads the pictures that ship with the gateway, by codec and size. */
import { readFile } from 'node:fs/promises'
import type { InitFacts } from '../formats/mp4/init.ts'
import { type Movie, readMovie } from '../formats/mp4/read-movie.ts'

export type VideoCodec = 'avc' | 'hevc'

/** Returns the codec of a stream whose video is one of the two. */
export function videoCodecOf({ codec }: Pick<InitFacts, 'codec'>): VideoCodec {
  return codec.startsWith('avc') ? 'avc' : 'hevc'
}

export interface Size {
  readonly width: number
  readonly height: number
}

export interface Picture extends Size {
  readonly codec: VideoCodec
  readonly file: string
}

export const PICTURES_FOLDER = new URL('pictures/', import.meta.url)

const SIZES: readonly Size[] = [
  { width: 1920, height: 1080 },
  { width: 1280, height: 720 },
  { width: 640, height: 360 },
  { width: 640, height: 480 },
]

export const PICTURES: readonly Picture[] = (['avc', 'hevc'] as const).flatMap((codec) =>
  SIZES.map(({ width, height }) => {
    return { codec, width, height, file: `${codec}-${width}x${height}.mp4` }
  }),
)

/** Returns the picture of a codec whose shape, and then whose size, is closest. */
export function nearestPicture(codec: VideoCodec, wanted: Size): Picture {
  const [first, ...others] = PICTURES.filter((picture) => picture.codec === codec)
  if (first === undefined) throw new RangeError(`no picture for ${codec}`)
  return others.reduce(
    (best, picture) => (distance(picture, wanted) < distance(best, wanted) ? picture : best),
    first,
  )
}

export async function readPicture({ file }: Picture): Promise<Movie> {
  return readMovie(await readFile(new URL(file, PICTURES_FOLDER)))
}

/**
 * Measures how unlike two sizes are: another shape is worse than any other size, because it would be squeezed or
 * framed.
 */
function distance(a: Size, b: Size): number {
  const shape = Math.abs(Math.log(a.width / a.height / (b.width / b.height)))
  const area = Math.abs(Math.log((a.width * a.height) / (b.width * b.height)))
  return 100 * shape + area
}
