import { parseMediaPlaylist } from '../proof/media-playlist.ts'
import { PlaylistHistory } from '../proof/playlist-history.ts'
import { between } from '../proof/seeded-random.ts'
import type { Watcher } from './audience.ts'
import type { PastClient, Span } from './past-client.ts'
import { type PastList, playSome, RECORDED, readable, renditionsOf } from './past-lists.ts'

/** A range and what its lists have said so far. */
interface Visit {
  readonly span: Span
  readonly renditions: readonly {
    readonly name: string
    readonly url: URL
    readonly history: PlaylistHistory
  }[]
}

const FRAGMENTS_A_LOOK = 6
/** Of a list that grows: after its end it gets the last fragment, and says so. */
const END_MS = 45_000
/** Sound may begin a little before the picture, and the range is that of the picture. */
const EDGE_MS = 1_000

/** Plays ranges of the past, one after the other: what was recorded, and what is being recorded. */
export class ArchiveViewer implements Watcher {
  readonly #client: PastClient
  readonly #url: URL

  constructor(client: PastClient, url: URL) {
    this.#client = client
    this.#url = url
  }

  get counts(): PastClient['counts'] {
    return this.#client.counts
  }

  get seen(): PastClient['seen'] {
    return this.#client.seen
  }

  watch(): Promise<void> {
    return this.#client.again(async () => {
      const { random } = this.#client.options
      await (random() < 0.6 ? this.#closed() : this.#growing())
      await this.#client.pause(between(random, 1, 8) * 1000)
    })
  }

  async #closed(): Promise<void> {
    const { random, clock } = this.#client.options
    const startMs = clock.now() - between(random, 90, 3_600) * 1000
    const visit = await this.#open({ startMs, endMs: startMs + between(random, 40, 80) * 1000 })
    if (visit === undefined) return
    this.#client.saw('closed ranges')
    const lists = await this.#load(visit)
    if (lists === undefined) return
    for (const { url, playlist } of lists) {
      if (!playlist.ended) this.#client.incident('not-ended', url, 'a range of the past')
    }
    await playSome(this.#client, lists, FRAGMENTS_A_LOOK, RECORDED)
  }

  async #growing(): Promise<void> {
    const { random, clock } = this.#client.options
    const nowMs = clock.now()
    const span = {
      startMs: nowMs - between(random, 70, 240) * 1000,
      endMs: nowMs + between(random, 10, 60) * 1000,
    }
    const visit = await this.#open(span)
    if (visit === undefined) return
    this.#client.saw('growing ranges')
    for (;;) {
      const lists = await this.#load(visit)
      if (lists !== undefined) await playSome(this.#client, lists, 1, RECORDED)
      const [list] = lists ?? []
      if (list?.playlist.ended === true) return
      if (clock.now() > span.endMs + END_MS) break
      await this.#client.pause((list?.playlist.targetDurationS ?? 1) * 1000)
    }
    for (const { url } of visit.renditions)
      this.#client.incident('not-ended', url, 'its end is past')
  }

  async #open(span: Span): Promise<Visit | undefined> {
    const url = new URL(this.#url)
    url.searchParams.set('start', new Date(span.startMs).toISOString())
    url.searchParams.set('end', String(span.endMs / 1000))
    const renditions = await renditionsOf(this.#client, url, span)
    if (renditions === undefined) return undefined
    return {
      span,
      renditions: renditions.map(({ name, uri }) => ({
        name,
        url: new URL(uri, url),
        history: new PlaylistHistory(),
      })),
    }
  }

  /** All lists, or undefined. */
  async #load({ renditions, span }: Visit): Promise<readonly PastList[] | undefined> {
    const lists: PastList[] = []
    for (const { name, url, history } of renditions) {
      const answer = await this.#client.get(url, span)
      if (answer === undefined) return undefined
      this.#client.counts.playlists += 1
      const playlist = readable(this.#client, url, () => parseMediaPlaylist(String(answer.body)))
      if (playlist === undefined) return undefined
      this.#client.judge(url, history, playlist)
      const list = { name, url, playlist }
      this.#checkBounds(list, span)
      lists.push(list)
    }
    return lists
  }

  /** All that is listed begins in the range, and the head of the list stays. */
  #checkBounds({ url, playlist }: PastList, { startMs, endMs }: Span): void {
    const outside = playlist.segments.find(
      ({ pdtMs = startMs }) => pdtMs < startMs - EDGE_MS || pdtMs > endMs + EDGE_MS,
    )
    if (outside !== undefined) this.#client.incident('outside-range', url, JSON.stringify(outside))
    if (playlist.mediaSequence === 0) return
    this.#client.incident('head-removed', url, `the list begins at ${playlist.mediaSequence}`)
  }
}
