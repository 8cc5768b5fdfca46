import { Agent } from 'undici'
import { z } from 'zod'
import type { Random } from '../../src/base/backoff.ts'
import type { Clock } from '../../src/base/clock.ts'
import { type Answer, httpGet } from '../proof/http-get.ts'
import type { MediaPlaylist } from '../proof/media-playlist.ts'
import type { PlaylistHistory } from '../proof/playlist-history.ts'
import type { Incident } from '../proof/viewer.ts'
import type { ByteLedger } from './byte-ledger.ts'

export interface PastClientOptions {
  readonly stream: string
  readonly clock: Clock
  readonly random: Random
  readonly signal: AbortSignal
  readonly ledger: ByteLedger
  readonly onIncident: (incident: Incident) => void
  /** How it asks. Default: once, see {@link httpGet}. */
  readonly get?: typeof httpGet
  /** Lists come from several nodes, of which one may know a fragment a moment before another. */
  readonly manyNodes?: boolean
}

/** Of the recording, in milliseconds since 1970. */
export interface Span {
  readonly startMs: number
  readonly endMs: number
}

/** What a viewer of the past has had, by kind. */
export type Seen = Readonly<Record<string, number>>

/** Players try as often. */
const TRIES = 5
const RETRY_MS = 1_000
/** A range that takes long to list is waited for, and a slow fetch from KVS. */
const DEADLINE_MS = 45_000

/** Segments by which a node's list may be behind another's. */
const MOST_BEHIND = 1

const problemSchema = z.looseObject({ code: z.string(), detail: z.string().default('') })

/**
 * Gets what lies in the past as a player would: what the gateway cannot have from KVS at the moment is asked
 * for again, and everything else that is not there is an incident.
 */
export class PastClient {
  readonly options: PastClientOptions
  readonly #agent = new Agent({ connections: 2, pipelining: 1 })
  readonly counts = { playlists: 0, segments: 0, bytes: 0 }
  readonly #seen = new Map<string, number>()

  constructor(options: PastClientOptions) {
    this.options = options
  }

  get seen(): Seen {
    return Object.fromEntries(this.#seen)
  }

  saw(what: string, count = 1): void {
    this.#seen.set(what, (this.#seen.get(what) ?? 0) + count)
  }

  /** What was asked for, or undefined and an incident. `span`: the range that the URL names. */
  async get(url: URL, span?: Span): Promise<Answer | undefined> {
    for (let tries = 0; tries < TRIES; tries += 1) {
      const answer = await this.#ask(url)
      if (answer?.status === 200) return answer
      if (answer !== undefined && !this.#isPassing(url, answer, span)) return undefined
      await this.pause(retryAfterMs(answer))
    }
    this.incident('given-up', url, `after ${TRIES} tries`)
    return undefined
  }

  /** A segment or an init segment, whose bytes are the same for ever. */
  async media(url: URL): Promise<Buffer | undefined> {
    const answer = await this.get(url)
    if (answer === undefined) return undefined
    const { stream, ledger } = this.options
    if (!ledger.agrees(stream, url, answer.body)) this.incident('bytes-changed', url, '')
    return answer.body
  }

  incident(kind: string, url: URL, detail: string, span?: Span): void {
    const nowMs = this.options.clock.now()
    const { startMs, endMs } = span ?? { startMs: nowMs, endMs: nowMs }
    const where = url.pathname + url.search
    const lastedMs = endMs - startMs
    this.options.onIncident({ kind, url: where, detail, atMs: startMs, lastedMs })
  }

  /** Judges the next answer of a list by those before it. */
  judge(url: URL, history: PlaylistHistory, playlist: MediaPlaylist): void {
    const { previous } = history
    const behind = previous === undefined ? 0 : endOf(previous) - endOf(playlist)
    if (this.options.manyNodes === true && behind > 0 && behind <= MOST_BEHIND) {
      // A player passes over a list that is older than the one it has.
      this.saw('older lists')
      return
    }
    for (const { kind, msn, detail } of history.take(playlist)) {
      if (this.#mayNameAnew(url) && kind === 'msn-changed') this.saw('segments named anew')
      else this.incident(kind, url, `${msn ?? ''} ${detail}`)
    }
  }

  /** Another node lists from the recording what the one before had published: see the README's limits. */
  #mayNameAnew({ pathname }: URL): boolean {
    return this.options.manyNodes === true && pathname.includes('/archive/')
  }

  pause(ms: number): Promise<void> {
    return this.options.clock.sleep(ms, this.options.signal)
  }

  /** Does so until the signal aborts. */
  async again(visit: () => Promise<void>): Promise<void> {
    const { signal } = this.options
    try {
      for (;;) await visit()
    } catch (error) {
      if (!signal.aborted) throw error
    } finally {
      await this.#agent.destroy()
    }
  }

  async #ask(url: URL): Promise<Answer | undefined> {
    const { signal, get = httpGet } = this.options
    try {
      const options = { keep: true, signal, deadlineMs: DEADLINE_MS }
      const answer = await get(this.#agent, url, options)
      this.counts.bytes += answer.length
      return answer
    } catch (error) {
      signal.throwIfAborted()
      // Media that KVS breaks off cannot end well for those who read along.
      this.incident('refused', url, String(error))
      return undefined
    }
  }

  /** Whether it makes sense to ask again. */
  #isPassing(url: URL, { status, body, headers }: Answer, span: Span | undefined): boolean {
    const problem = `${status} ${problemOf(body)}`
    const knows = span !== undefined
    if (knows && /^404 (no_recording|not_found: Nothing was recorded)/.test(problem)) {
      this.incident('no-recording', url, problem, span)
      return false
    }
    if (knows && /^400 bad_request: The (video|audio) changes from/.test(problem)) {
      this.incident('codec-change', url, problem, span)
      return false
    }
    if (status === 503 && headers['retry-after'] !== undefined) {
      this.saw('waits')
      return true
    }
    const passing = [502, 503, 504].includes(status)
    this.incident(passing ? 'refused' : `http-${status}`, url, problem)
    return passing
  }
}

const endOf = ({ mediaSequence, segments }: MediaPlaylist): number =>
  mediaSequence + segments.length

function retryAfterMs(answer: Answer | undefined): number {
  const seconds = Number(answer?.headers['retry-after'] ?? Number.NaN)
  return Number.isNaN(seconds) ? RETRY_MS : seconds * 1000
}

function problemOf(body: Buffer): string {
  try {
    const { code, detail } = problemSchema.parse(JSON.parse(String(body)))
    return `${code}: ${detail}`
  } catch {
    return 'no problem document'
  }
}
