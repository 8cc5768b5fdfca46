import type { InitFacts } from '../formats/mp4/init.ts'
import type { Movie } from '../formats/mp4/read-movie.ts'
import { isAac } from '../formats/mp4/sound-codec.ts'
import { type Track, timescaleOf } from '../formats/mp4/track.ts'
import { longestGroup, movieLoop, type PictureLoop, stillLoop } from './picture-loop.ts'
import { nearestPicture, readPicture, type VideoCodec, videoCodecOf } from './pictures.ts'
import type { SlateParts } from './slate-run.ts'
import { recordedSound, type StreamSound, silence } from './sound.ts'

/** The media of the stream that a slate is for, as it was last seen: at least one of the two. */
export interface StreamMedia {
  readonly video: InitFacts | undefined
  readonly audio: StreamSound | undefined
}

/** Says why the operator's file is not shown. */
export type Unfit = 'its codec is not the camera’s' | 'its keyframes are too far apart'

export interface ChosenSlate extends SlateParts {
  readonly unfit: Unfit | undefined
}

/**
 * Chooses what is shown for a stream: the operator's file if players that decode the camera can go on with it, or else
 * the built-in picture of the camera's codec that is closest to its size.
 * @param longestMs how long a segment may be (G5)
 */
export async function chooseSlate(
  { video, audio }: StreamMedia,
  file: Movie | undefined,
  longestMs: number,
): Promise<ChosenSlate> {
  const silent = audio === undefined ? undefined : silence(audio)
  if (video === undefined) return { pictures: undefined, sound: silent, unfit: undefined }
  const own = file?.video
  const unfit = own === undefined ? undefined : unfitness(own, videoCodecOf(video), longestMs)
  if (own === undefined || unfit !== undefined) {
    return { pictures: await builtIn(video), sound: silent, unfit }
  }
  // A file's sound is AAC, which a player that decodes another codec need not go on with.
  const speaks = audio !== undefined && file?.audio !== undefined && isAac(audio.init.codec)
  const sound = speaks ? recordedSound(file.audio) : silent
  return { pictures: movieLoop(own), sound, unfit: undefined }
}

function unfitness(track: Track, codec: VideoCodec, longestMs: number): Unfit | undefined {
  const { description } = track
  if (description.codec !== codec) return 'its codec is not the camera’s'
  const groupMs = (longestGroup(track) / timescaleOf(description)) * 1_000
  return groupMs > longestMs ? 'its keyframes are too far apart' : undefined
}

async function builtIn(init: InitFacts): Promise<PictureLoop> {
  const wanted = init.video ?? { width: 1280, height: 720 }
  const movie = await readPicture(nearestPicture(videoCodecOf(init), wanted))
  if (movie.video === undefined) throw new Error('a built-in slate without a picture')
  return stillLoop(movie.video)
}
