import { type InitFacts, readInit } from '../formats/mp4/init.ts'
import { readMedia } from '../formats/mp4/media.ts'
import { readMediaStructure } from '../formats/mp4/media-structure.ts'
import { malformed, unsupported } from '../formats/mp4/mp4-error.ts'
import type { RenditionName, TrackFacts } from '../timeline/fragment.ts'
import type { HlsSession, PlaylistName } from '../upstream/hls-session.ts'
import type { ListedFragment, ListedMap } from '../upstream/listed-fragment.ts'

/** One track of one fragment, as fragmented MP4 of its own, and what it says. */
export interface FetchedTrack {
  readonly rendition: RenditionName
  readonly initBytes: Buffer
  readonly bytes: Buffer
  readonly facts: TrackFacts
}

/** A fragment whose bytes are complete and verified, all its tracks. */
export interface FetchedFragment {
  readonly listed: ListedFragment
  readonly timeBase: number
  readonly receivedMs: number
  readonly tracks: readonly FetchedTrack[]
}

/** A session keeps an init segment's bytes, so each is parsed once for all the fragments that use it. */
const initFacts = new WeakMap<Buffer, InitFacts>()

/**
 * Fetches and verifies what one playlist has of a fragment: complete, boxes in order, the right track,
 * sane times. What fails here is neither listed nor cached (G12).
 *
 * @throws Mp4Error when bytes that look whole do not fit together; what the session throws otherwise
 */
export async function fetchTracks(
  session: HlsSession,
  playlist: PlaylistName,
  listed: ListedFragment,
  signal: AbortSignal,
): Promise<readonly FetchedTrack[]> {
  if (listed.map === undefined) throw unsupported('a fragment without an init segment')
  return fetchMp4(session, playlist, { ...listed, map: listed.map }, signal)
}

/** The init segment is fetched alongside, not before, as that would cost a cold start a round trip. */
async function fetchMp4(
  session: HlsSession,
  playlist: PlaylistName,
  listed: ListedFragment & { readonly map: ListedMap },
  signal: AbortSignal,
): Promise<readonly FetchedTrack[]> {
  const [initBytes, bytes] = await Promise.all([
    session.init(playlist, listed.map, signal, (init) => readInitOf(playlist, init)),
    session.fragment(playlist, listed, signal, 'live', readMediaStructure),
  ])
  return [readTrack(playlist, initBytes, bytes)]
}

function readTrack(playlist: PlaylistName, initBytes: Buffer, bytes: Buffer): FetchedTrack {
  const init = readInitOf(playlist, initBytes)
  const { rendition } = init
  const { baseTicks, durationTicks, samples, startsWithSync } = readMedia(bytes, init)
  // Players may start anywhere: we list every segment as independent (RFC 8216, 4.3.5.1).
  if (!startsWithSync) throw malformed(`a fragment of ${rendition} without a keyframe at its start`)
  return {
    rendition,
    initBytes,
    bytes,
    facts: { init, baseTicks, durationTicks, samples, bytes: bytes.length },
  }
}

function readInitOf(playlist: PlaylistName, bytes: Buffer): InitFacts {
  const known = initFacts.get(bytes)
  if (known !== undefined) return known
  const init = readInit(bytes)
  if (playlist !== 'muxed' && init.rendition !== playlist) {
    throw malformed(`the ${playlist} playlist leads to an init segment of ${init.rendition}`)
  }
  initFacts.set(bytes, init)
  return init
}
