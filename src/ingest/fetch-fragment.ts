import { type InitFacts, readInit } from '../formats/mp4/init.ts'
import { readMedia } from '../formats/mp4/media.ts'
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

interface KnownInit {
  readonly facts: InitFacts
  readonly bytes: Buffer
}

/** More codec-private-data generations than KVS allows in a session (500) are not kept. kvs-hls.md 6.3. */
const MOST_INITS = 1024

/**
 * Fetches and verifies the tracks of one session's fragments: complete, boxes in order, the right
 * track, sane times. What fails here is neither listed nor cached (G12).
 */
export class TrackFetcher {
  readonly #session: HlsSession
  readonly #inits = new Map<string, Promise<KnownInit>>()

  constructor(session: HlsSession) {
    this.#session = session
  }

  /** @throws Mp4Error when the bytes are not what they should be; what the session throws otherwise */
  async fetch(
    rendition: RenditionName,
    listed: ListedFragment,
    signal: AbortSignal,
  ): Promise<FetchedTrack> {
    const [init, bytes] = await Promise.all([
      this.#init(rendition, listed, signal),
      this.#session.fragment(rendition, listed, signal),
    ])
    const { baseTicks, durationTicks, samples } = readMedia(bytes, init.facts)
    return {
      rendition,
      initBytes: init.bytes,
      bytes,
      facts: { init: init.facts, baseTicks, durationTicks, samples, bytes: bytes.length },
    }
  }

  /** Each init segment once a session (G8); one that failed or was garbage is asked for again. */
  #init(rendition: RenditionName, listed: ListedFragment, signal: AbortSignal): Promise<KnownInit> {
    const key = `${rendition} ${listed.map.key}`
    const known = this.#inits.get(key)
    if (known !== undefined) return known
    if (this.#inits.size >= MOST_INITS) this.#inits.clear()
    const fetched = this.#fetchInit(rendition, listed, signal)
    this.#inits.set(key, fetched)
    fetched.catch(() => this.#inits.delete(key))
    return fetched
  }

  async #fetchInit(
    rendition: RenditionName,
    listed: ListedFragment,
    signal: AbortSignal,
  ): Promise<KnownInit> {
    const bytes = await this.#session.init(rendition, listed.map, signal)
    const facts = readInit(bytes)
    if (facts.rendition !== rendition) {
      throw new Error(`expected an init segment of ${rendition}, got one of ${facts.rendition}`)
    }
    return { facts, bytes }
  }
}
