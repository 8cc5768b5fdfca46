import { applyDelta } from '../proof/delta-update.ts'
import { type MediaPlaylist, parseMediaPlaylist } from '../proof/media-playlist.ts'
import { PlaylistHistory } from '../proof/playlist-history.ts'
import { between } from '../proof/seeded-random.ts'
import type { Watcher } from './audience.ts'
import type { PastClient } from './past-client.ts'
import { HELD, type PastList, playSome, readable, renditionsOf } from './past-lists.ts'

/** How long an edition is watched before the newest one is looked for: late fragments are in that one only. */
const STAY_S = [20, 90] as const
/** Every how many delta updates the whole list is loaded as well. */
const COMPARE_EVERY = 4
const FRAGMENTS_A_RELOAD = 3
/** Lists of the newest editions: nobody comes back to others, and each is thousands of lines. */
const LISTS_KEPT = 6

/** One rendition of one edition, for as long as the viewer has known it. */
interface Watched {
  readonly name: string
  readonly url: URL
  readonly history: PlaylistHistory
  known: MediaPlaylist | undefined
  deltas: number
}

/** Follows `dvr.m3u8` and plays here and there in it, by delta updates or without. */
export class DvrViewer implements Watcher {
  readonly #client: PastClient
  readonly #url: URL
  readonly #usesDeltas: boolean
  readonly #watched = new Map<string, Watched>()

  constructor(client: PastClient, url: URL, usesDeltas: boolean) {
    this.#client = client
    this.#url = url
    this.#usesDeltas = usesDeltas
  }

  get counts(): PastClient['counts'] {
    return this.#client.counts
  }

  get seen(): PastClient['seen'] {
    return this.#client.seen
  }

  watch(): Promise<void> {
    return this.#client.again(() => this.#visit())
  }

  async #visit(): Promise<void> {
    const { clock, random } = this.#client.options
    const renditions = await renditionsOf(this.#client, this.#url)
    const endMs = clock.now() + between(random, ...STAY_S) * 1000
    const lists = (renditions ?? []).map(({ name, uri }) =>
      this.#open(name, new URL(uri, this.#url)),
    )
    do {
      const loaded = await this.#reload(lists)
      await playSome(this.#client, loaded, FRAGMENTS_A_RELOAD, HELD)
      await this.#client.pause((loaded[0]?.playlist.targetDurationS ?? 1) * 1000)
    } while (clock.now() < endMs && lists.length > 0)
  }

  #open(name: string, url: URL): Watched {
    const fresh = { name, url, history: new PlaylistHistory(), known: undefined, deltas: 0 }
    const watched = this.#watched.get(url.href) ?? fresh
    if (watched === fresh) this.#client.saw('lists')
    this.#watched.set(url.href, watched)
    const [oldest] = this.#watched.keys()
    if (this.#watched.size > LISTS_KEPT && oldest !== undefined) this.#watched.delete(oldest)
    return watched
  }

  async #reload(lists: readonly Watched[]): Promise<readonly PastList[]> {
    const loaded: PastList[] = []
    for (const watched of lists) {
      const playlist = (await this.#update(watched)) ?? (await this.#load(watched))
      if (playlist === undefined) continue
      this.#client.judge(watched.url, watched.history, playlist)
      watched.known = playlist
      loaded.push({ ...watched, playlist })
    }
    return loaded.length === lists.length ? loaded : []
  }

  async #load({ url }: Watched): Promise<MediaPlaylist | undefined> {
    const answer = await this.#client.get(url)
    if (answer === undefined) return undefined
    this.#client.counts.playlists += 1
    return readable(this.#client, url, () => parseMediaPlaylist(String(answer.body)))
  }

  /** By what has changed; undefined when that is not wanted or does not do. */
  async #update(watched: Watched): Promise<MediaPlaylist | undefined> {
    const { known, url } = watched
    if (!this.#usesDeltas || known === undefined) return undefined
    const answer = await this.#client.get(new URL('?_HLS_skip=YES', url))
    if (answer === undefined) return undefined
    this.#client.counts.playlists += 1
    const updated = readable(this.#client, url, () => applyDelta(known, String(answer.body)))
    if (updated === undefined) return undefined
    this.#client.saw('delta updates')
    watched.deltas += 1
    if (watched.deltas % COMPARE_EVERY === 0) await this.#compare(watched, updated)
    return updated
  }

  /** What deltas have made of the list must be in the whole list, as far as both go. */
  async #compare(watched: Watched, updated: MediaPlaylist): Promise<void> {
    const whole = await this.#load(watched)
    if (whole === undefined) return
    const told = new Map(whole.segments.map((segment) => [segment.msn, JSON.stringify(segment)]))
    const both = updated.segments.filter(({ msn }) => told.has(msn))
    const other = both.find((segment) => told.get(segment.msn) !== JSON.stringify(segment))
    if (other === undefined && both.length > 0) return
    const detail =
      other === undefined
        ? `nothing in common: ${updated.mediaSequence}, ${whole.mediaSequence}`
        : `updated ${JSON.stringify(other)}, whole ${told.get(other.msn)}`
    this.#client.incident('delta-differs', watched.url, detail)
  }
}
