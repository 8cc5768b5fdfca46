import { GatewayError } from '../../base/errors.ts'
import { Mp4Error } from '../../formats/mp4/mp4-error.ts'
import { ProgressiveMovie } from '../../formats/mp4/progressive/progressive-movie.ts'
import type { RecordedFragment, RecordedTrack } from '../recording.ts'
import { readAhead } from './read-ahead.ts'
import { type ClipFragment, RecordedClip, totalBytes } from './recorded-clip.ts'

/** How many fragments are in memory while their tables are read. */
const AT_ONCE = 4
/** How many samples a clip may have: a day of 60 pictures and 47 blocks of sound a second has 9 million. */
const MAX_SAMPLES = 10_000_000
/** How much longer than its range a clip may be, for what the fragments at both ends reach beyond their dates. */
const SPARE_S = 120

/**
 * Reads all fragments once, and keeps what they say of their samples.
 * @throws GatewayError
 */
export async function buildClip(
  fragments: readonly RecordedFragment[],
  isSettled: boolean,
  signal: AbortSignal,
): Promise<RecordedClip> {
  const movie = new ProgressiveMovie(extentOf(fragments))
  const codecs = new Codecs()
  const added: ClipFragment[] = []
  const read = readAhead(fragments, {
    fetch: async (recorded, limited) => ({ recorded, tracks: await recorded.tracks(limited) }),
    mayFetch: (_next, underWay) => underWay.length < AT_ONCE,
    signal,
  })
  for await (const { recorded, tracks } of read) {
    codecs.check(recorded, tracks)
    addTo(movie, recorded, tracks)
    added.push({ recorded, bytes: totalBytes(tracks) })
  }
  if (movie.samples === 0) throw nothing()
  return new RecordedClip(movie.finish(), added, isSettled)
}

function extentOf(fragments: readonly RecordedFragment[]): {
  createdMs: number
  maxSeconds: number
} {
  const [first, ...rest] = fragments
  if (first === undefined) throw nothing()
  // A clock that jumps forward and back makes a clip longer than from its first to its last fragment.
  let [lengthMs, before] = [0, first]
  for (const fragment of rest) {
    lengthMs += Math.abs(fragment.startMs - before.startMs)
    before = fragment
  }
  return { createdMs: first.startMs, maxSeconds: lengthMs / 1000 + SPARE_S }
}

function nothing(): GatewayError {
  return new GatewayError('not_found', 'Nothing was recorded in that range')
}

function addTo(
  movie: ProgressiveMovie,
  recorded: RecordedFragment,
  tracks: readonly RecordedTrack[],
): void {
  try {
    movie.add(tracks)
  } catch (error) {
    throw unusable(recorded, error)
  }
  if (movie.samples > MAX_SAMPLES) {
    throw new GatewayError('bad_request', `A clip has at most ${MAX_SAMPLES} samples: ask for less`)
  }
}

function unusable({ startMs }: RecordedFragment, error: unknown): unknown {
  if (!(error instanceof Mp4Error)) return error
  const at = new Date(startMs).toISOString()
  return error.fault === 'unsupported'
    ? new GatewayError('upstream_unsupported_media', `The media at ${at} cannot be in a clip`, {
        cause: error,
      })
    : new GatewayError('upstream_unavailable', `The media at ${at} are damaged`, { cause: error })
}

/**
 * Keeps track of codecs. A track of an MP4 could change from one codec to another, but no player follows: ffmpeg and
 * browsers drop what comes after. A change of parameters (another resolution) is no such change.
 */
class Codecs {
  readonly #families = new Map<string, string>()

  check({ startMs }: RecordedFragment, tracks: readonly RecordedTrack[]): void {
    for (const { init } of tracks) {
      const family = init.codec.split('.', 1).join()
      const before = this.#families.get(init.rendition) ?? family
      this.#families.set(init.rendition, before)
      if (family === before) continue
      const at = new Date(startMs).toISOString()
      const change = `The ${init.rendition} changes from ${before} to ${family} at ${at}`
      throw new GatewayError('bad_request', `${change}: ask for a range that ends there or begins`)
    }
  }
}
