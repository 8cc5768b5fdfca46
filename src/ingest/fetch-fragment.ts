import { type InitFacts, readInit } from '../formats/mp4/init.ts'
import { readMedia } from '../formats/mp4/media.ts'
import { readMediaStructure } from '../formats/mp4/media-structure.ts'
import { malformed } from '../formats/mp4/mp4-error.ts'
import type { RenditionName, TrackFacts } from '../timeline/fragment.ts'
import type { HlsSession } from '../upstream/hls-session.ts'
import type { ListedFragment } from '../upstream/listed-fragment.ts'

/** One track of one fragment: the bytes as they came, and what they say. */
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
 * Fetches and verifies one track of a fragment: complete, boxes in order, the right track, sane times.
 * What fails here is neither listed nor cached (G12). The init segment is fetched alongside, not before,
 * as that would cost a cold start a round trip.
 *
 * @throws Mp4Error when bytes that look whole do not fit together; what the session throws otherwise
 */
export async function fetchTrack(
  session: HlsSession,
  rendition: RenditionName,
  listed: ListedFragment,
  signal: AbortSignal,
): Promise<FetchedTrack> {
  const [initBytes, bytes] = await Promise.all([
    session.init(rendition, listed.map, signal, (init) => readInitOf(rendition, init)),
    session.fragment(rendition, listed, signal, 'live', readMediaStructure),
  ])
  const init = readInitOf(rendition, initBytes)
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

function readInitOf(rendition: RenditionName, bytes: Buffer): InitFacts {
  const known = initFacts.get(bytes)
  if (known !== undefined) return known
  const init = readInit(bytes)
  if (init.rendition !== rendition) {
    throw malformed(`the ${rendition} playlist leads to an init segment of ${init.rendition}`)
  }
  initFacts.set(bytes, init)
  return init
}
