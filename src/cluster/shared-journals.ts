import { z } from 'zod'
import type { Log } from '../base/log.ts'
import { Outage } from '../base/outage.ts'
import { FencedError } from '../store/fenced-error.ts'
import type { JournalPage, Journals } from '../store/journals.ts'
import type { ClusterKeys } from './keys.ts'
import type { RedisConnection } from './redis-connection.ts'
import { DROP_PAGES, JOURNAL, PAGES, READ_PAGE } from './scripts.ts'
import { AMENDED, KEEP_MS } from './shared-timelines.ts'
import type { StreamLease } from './stream-lease.ts'

export interface SharedJournalsOptions {
  readonly log: Log
  readonly redis: Pick<RedisConnection, 'eval' | 'ready'>
  readonly keys: ClusterKeys
  readonly node: string
  readonly leaseOf: (stream: string) => StreamLease | undefined
}

/** See {@link JOURNAL}. */
const journalReply = z.enum(['ok', 'fenced'])
const strings = z.array(z.string())

/**
 * Keeps journals in Redis, for all nodes. Only a stream's owner may write; while Redis is away, what it would have written
 * is lost, which the next reader of the journal finds to be a hole.
 */
export class SharedJournals implements Journals {
  readonly #options: SharedJournalsOptions
  readonly #outage: Outage

  constructor(options: SharedJournalsOptions) {
    this.#options = options
    this.#outage = new Outage(options.log, {
      level: 'error',
      fails: 'the journal cannot be shared',
      works: 'journals are shared again',
    })
  }

  async load(stream: string): Promise<readonly JournalPage[]> {
    const { redis, keys } = this.#options
    const pages: JournalPage[] = []
    // What a node knows before it has joined the others comes by following them.
    if (!redis.ready) return pages
    await this.#outage.attempt({ stream }, async () => {
      const numbers = strings.parse(await redis.eval(PAGES, [keys.pages(stream)], []))
      for (const number of numbers.map(Number)) {
        const page = await redis.eval(READ_PAGE, [keys.page(stream, number)], [])
        pages.push({ number, lines: strings.parse(page) })
      }
    })
    return pages
  }

  append(stream: string, page: number, lines: readonly string[]): Promise<void> {
    return this.#write(stream, page, lines, '')
  }

  /** Appends lines, and tells them to those who follow the stream. */
  amend(stream: string, page: number, lines: readonly string[]): Promise<void> {
    return this.#write(stream, page, lines, AMENDED + JSON.stringify(lines))
  }

  async drop(stream: string, page: number): Promise<void> {
    const { redis, keys } = this.#options
    await this.#outage.attempt({ stream }, () =>
      redis.eval(DROP_PAGES, [keys.pages(stream)], [page, keys.page(stream, '')]),
    )
  }

  /** Keeps all: what nobody writes to any more expires. */
  keepOnly(): Promise<void> {
    return Promise.resolve()
  }

  /** @throws FencedError when another node owns the stream */
  async #write(
    stream: string,
    page: number,
    lines: readonly string[],
    told: string,
  ): Promise<void> {
    const { redis, keys, node, leaseOf } = this.#options
    const lease = leaseOf(stream)
    const token = lease?.token
    if (lease === undefined || token === undefined) throw new FencedError(stream)
    const answer = await this.#outage.attempt({ stream }, async () =>
      journalReply.parse(
        await redis.eval(
          JOURNAL,
          [keys.leases, keys.pages(stream), keys.page(stream, page)],
          [stream, node, token, page, KEEP_MS, keys.facts(stream), told, ...lines],
        ),
      ),
    )
    if (answer === 'ok' || (answer === undefined && lease.isMine)) return
    lease.lose(token)
    throw new FencedError(stream)
  }
}
