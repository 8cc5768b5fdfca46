import { setTimeout as sleep } from 'node:timers/promises'
import { gunzipSync } from 'node:zlib'
import { Agent } from 'undici'
import { type Answer, httpGet } from '../../proof/http-get.ts'

/** A list as one of the audience got it. */
export interface SeenList {
  readonly path: string
  /** The gateway's tag, whatever the cache made of it. */
  readonly etag: string
  /** When it was asked for, by `performance.now()`. */
  readonly askedMs: number
  readonly tookMs: number
  readonly cacheStatus: string
}

interface Listed {
  readonly maps: readonly string[]
  readonly uris: readonly string[]
  readonly targetDurationS: number
}

/**
 * An audience of one cache, cheap enough for hundreds in a process: each asks for its lists at a player's pace, each
 * with another query and encoding, and for all that is new in them. Failures are told, and nothing is tried twice.
 */
export class Seats {
  readonly lists: SeenList[] = []
  readonly failures: string[] = []
  /** The paths of all that lists have told any of them to get. */
  readonly wanted = new Set<string>()
  bytes = 0
  requests = 0
  readonly #base: string
  readonly #signal: AbortSignal
  readonly #agent = new Agent({ connections: 128, pipelining: 1 })
  /** What lists say, by address and tag: hundreds get the same. */
  readonly #read = new Map<string, Listed>()

  constructor(base: string, signal: AbortSignal) {
    this.#base = base
    this.#signal = signal
  }

  /** Seats one more; resolves once the signal aborts. */
  async watch(seat: number, master: string): Promise<void> {
    try {
      const { maps, uris } = await this.#list(seat, master)
      await Promise.all(
        [...maps, ...uris].map((uri) =>
          this.#follow(seat, new URL(uri, `http://x${master}`).pathname),
        ),
      )
    } catch (error) {
      if (!this.#signal.aborted) throw error
    }
  }

  async close(): Promise<void> {
    await this.#agent.destroy()
  }

  /** Asks for something as this seat would. */
  async get(seat: number, path: string, headers: Record<string, string> = {}): Promise<Answer> {
    const url = new URL(path, this.#base)
    url.searchParams.append('CMCD', `sid="${seat}"`)
    const answer = await httpGet(this.#agent, url, {
      headers,
      keep: true,
      signal: this.#signal,
      deadlineMs: 120_000,
    })
    this.requests += 1
    this.bytes += answer.length
    return answer
  }

  async #follow(seat: number, path: string): Promise<never> {
    const had = new Set<string>()
    for (;;) {
      const { maps, uris, targetDurationS } = await this.#list(seat, path)
      // As players do, it begins three segments from the end.
      if (had.size === 0) for (const uri of uris.slice(0, -3)) had.add(uri)
      const fresh = [...maps, ...uris].filter((uri) => !had.has(uri))
      const pathOf = (uri: string): string => new URL(uri, `http://x${path}`).pathname
      for (const uri of fresh) this.wanted.add(pathOf(uri))
      for (const uri of fresh) {
        had.add(uri)
        await this.#part(seat, pathOf(uri))
      }
      await sleep(1_000 * targetDurationS * (fresh.length > 0 ? 1 : 0.5), undefined, {
        signal: this.#signal,
      })
    }
  }

  /** Every tenth asks for the head of each file alone, as players that look for sidx do. */
  async #part(seat: number, path: string): Promise<void> {
    const headers: Record<string, string> = seat % 10 === 0 ? { range: 'bytes=0-99' } : {}
    const answer = await this.#try(seat, path, headers)
    const [status, length] = seat % 10 === 0 ? [206, 100] : [200, undefined]
    if (answer === undefined) return
    if (answer.status !== status || answer.length !== (length ?? answer.length)) {
      this.failures.push(`${answer.status} ${path} ${answer.body.toString().slice(0, 200)}`)
    }
  }

  async #list(seat: number, path: string): Promise<Listed> {
    for (;;) {
      const askedMs = performance.now()
      const encoding: Record<string, string> = seat % 2 === 0 ? { 'accept-encoding': 'gzip' } : {}
      const answer = await this.#try(seat, path, encoding)
      if (answer?.status === 200) return this.#listed(path, answer, askedMs)
      if (answer !== undefined) this.failures.push(`${answer.status} ${path}`)
      await sleep(1_000, undefined, { signal: this.#signal })
    }
  }

  async #try(seat: number, path: string, headers: Record<string, string>) {
    try {
      return await this.get(seat, path, headers)
    } catch (error) {
      this.#signal.throwIfAborted()
      this.failures.push(`${String(error)} ${path}`)
      return undefined
    }
  }

  #listed(path: string, { headers, body, tookMs }: Answer, askedMs: number): Listed {
    const etag = (headers['etag'] ?? '').replace(/^W\//, '')
    const cacheStatus = headers['cache-status'] ?? ''
    this.lists.push({ path, etag, askedMs, tookMs, cacheStatus })
    const known = this.#read.get(path + etag)
    if (known !== undefined) return known
    const text = String(headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body)
    const maps = [...text.matchAll(/URI="([^"]+)"/g)].map(([, uri = '']) => uri)
    const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
    const targetDurationS = Number(/TARGETDURATION:(\d+)/.exec(text)?.[1] ?? 1)
    const listed = { maps, uris: lines, targetDurationS }
    this.#read.set(path + etag, listed)
    return listed
  }
}
