import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Agent } from 'undici'
import type { Random } from '../../src/base/backoff.ts'
import type { Clock } from '../../src/base/clock.ts'
import { type Answer, httpGet } from '../proof/http-get.ts'
import { between, pick } from '../proof/seeded-random.ts'
import type { Excuses, Harm } from './excuses.ts'

/** One answer of the origin, before it is sent. */
interface Exchange {
  readonly response: ServerResponse
  readonly answer: Answer
  readonly isList: boolean
  /** Counts requests from 0 on. */
  readonly turn: number
}

/** A way in which origins are odd, or fail. */
interface Quirk {
  readonly name: string
  readonly harms: readonly Harm[]
  readonly lastsS: readonly [number, number]
  /** Writes a list as others write it. */
  readonly edit?: (text: string, turn: number) => string
  /** Answers in another way than whole and with its length; false: as always. */
  readonly answer?: (exchange: Exchange) => boolean
}

const media = (status: number, firstTurns: number): NonNullable<Quirk['answer']> => {
  const asked = new Map<string, number>()
  return ({ response, isList }) => {
    const path = response.req.url ?? ''
    const times = asked.get(path) ?? 0
    asked.set(path, times + 1)
    if (isList || times >= firstTurns) return false
    response.writeHead(status, { 'content-length': 0 }).end()
    return true
  }
}

/** What the wild is known to do; each lasts for a while, and is taken back. */
const QUIRKS: readonly (() => Quirk)[] = [
  () => ({
    name: 'origin: dates lost',
    harms: [],
    lastsS: [10, 40],
    edit: (text) => text.replaceAll(/^#EXT-X-PROGRAM-DATE-TIME:.*\n/gm, ''),
  }),
  () => ({
    name: 'origin: a token in each path, another one at each reload',
    harms: [],
    lastsS: [10, 40],
    edit: (text, turn) =>
      text
        .replaceAll(/^(video|audio)\//gm, `token-${turn}/$1/`)
        .replaceAll(/URI="(video|audio)\//g, `URI="token-${turn}/$1/`),
  }),
  () => ({
    name: 'origin: loose writing',
    harms: [],
    lastsS: [10, 40],
    edit: (text) =>
      text
        .replaceAll(/^#EXTINF:([\d.]+),$/gm, '#EXTINF: $10000 , a title')
        .replace('#EXTM3U\n', '#EXTM3U charset=utf-8\r\n#EXT-X-STRANGE:1,A="b"\r\n\r\n'),
  }),
  () => ({
    name: 'origin: bodies in chunks',
    harms: [],
    lastsS: [10, 40],
    answer: ({ response, answer }) => {
      response.writeHead(200, { 'content-type': answer.headers['content-type'] ?? '' })
      response.write(answer.body.subarray(0, 100))
      response.end(answer.body.subarray(100))
      return true
    },
  }),
  () => ({
    name: 'origin: bodies that end with their connection',
    harms: [],
    lastsS: [10, 40],
    answer: ({ response, answer }) => {
      response.useChunkedEncodingByDefault = false
      response.shouldKeepAlive = false
      response.writeHead(200, { connection: 'close' }).end(answer.body)
      return true
    },
  }),
  ...[404, 403, 503].map((status) => () => ({
    name: `origin: segments are ${status} at first`,
    harms: ['starves'] as const,
    lastsS: [5, 15] as const,
    answer: media(status, 2),
  })),
  () => ({
    name: 'origin: cut segments',
    harms: ['starves'],
    lastsS: [5, 15],
    answer: ({ response, answer, isList, turn }) => {
      if (isList || turn % 3 !== 0) return false
      response.writeHead(200, { 'content-length': answer.body.length })
      response.write(answer.body.subarray(0, answer.body.length / 2))
      response.destroy()
      return true
    },
  }),
  ...[404, 503, 'connections closed'].map((how) => () => ({
    name: `origin: away for a while, ${how}`,
    harms: ['starves'] as const,
    lastsS: [20, 60] as const,
    answer: ({ response }: Exchange) => {
      if (typeof how === 'number') response.writeHead(how, { 'content-length': 0 }).end()
      else response.destroy()
      return true
    },
  })),
]

export interface WildOriginOptions {
  readonly clock: Clock
  readonly random: Random
  readonly excuses: Excuses
  readonly log: (line: string) => void
}

/** After the cause has gone, as for other troubles. */
const RECOVERY_MS = 30_000
const TOKEN = /^\/token-\d+/

/**
 * An HLS origin that shows what another one shows, in as many ways as there are in the field: it changes its quirks by
 * chance.
 */
export class WildOrigin {
  readonly #options: WildOriginOptions
  readonly #server: Server
  readonly #agent = new Agent({ connections: 8 })
  readonly #life = new AbortController()
  readonly #counts = new Map<string, number>()
  #shown: URL | undefined
  #quirk: Quirk | undefined
  #turn = 0

  private constructor(options: WildOriginOptions) {
    this.#options = options
    this.#server = createServer((request, response) => {
      this.#answer(request, response).catch(() => response.destroy())
    })
  }

  static async start(options: WildOriginOptions): Promise<WildOrigin> {
    const origin = new WildOrigin(options)
    await new Promise<void>((resolve) => {
      origin.#server.listen(0, '127.0.0.1', resolve)
    })
    return origin
  }

  /** The address of its multivariant playlist. */
  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/master.m3u8`
  }

  /** How often it had each quirk. */
  get counts(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#counts)
  }

  /** Shows what is at this address from now on. */
  show(master: URL): void {
    this.#shown = master
  }

  /** Takes on one quirk after the other, with a rest between them, until the signal aborts. */
  async run(stream: string, signal: AbortSignal): Promise<void> {
    const { clock, random, excuses, log } = this.#options
    try {
      for (;;) {
        await clock.sleep(between(random, 5, 20) * 1000, signal)
        const quirk = pick(random, QUIRKS)()
        log(`${stream}: ${quirk.name}`)
        this.#counts.set(quirk.name, (this.#counts.get(quirk.name) ?? 0) + 1)
        const close = excuses.open(stream, quirk.harms, clock.now())
        this.#quirk = quirk
        await clock.sleep(between(random, ...quirk.lastsS) * 1000, signal)
        this.#quirk = undefined
        close(clock.now() + RECOVERY_MS)
      }
    } catch (error) {
      if (!signal.aborted) throw error
    }
  }

  async close(): Promise<void> {
    this.#life.abort()
    this.#server.closeAllConnections()
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve())
    })
    await this.#agent.destroy()
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (this.#shown === undefined) {
      response.writeHead(404).end()
      return
    }
    const path = (request.url ?? '/').replace(TOKEN, '').slice(1)
    const isList = path.endsWith('.m3u8')
    const answer = await httpGet(this.#agent, new URL(path, this.#shown), {
      keep: true,
      signal: this.#life.signal,
    })
    const turn = this.#turn
    this.#turn += 1
    const quirk = this.#quirk
    const isEdited = isList && answer.status === 200 && quirk?.edit !== undefined
    const body = isEdited ? Buffer.from(quirk.edit(String(answer.body), turn)) : answer.body
    const edited = { ...answer, body }
    if (quirk?.answer?.({ response, answer: edited, isList, turn }) === true) return
    const type = answer.headers['content-type'] ?? 'application/octet-stream'
    const headers = { 'content-type': type, 'content-length': body.length }
    response.writeHead(answer.status, headers).end(body)
  }
}
