import type { Clock } from '../../src/base/clock.ts'
import { BoxError } from './boxes.ts'
import type { Finding } from './fault.ts'
import { checkHeaders } from './header-rules.ts'
import type { Answer } from './http-get.ts'
import { type InitSegment, readInitSegment } from './init-segment.ts'
import type { KnownSegments } from './known-segments.ts'
import { type ListedSegment, type MediaPlaylist, parseMediaPlaylist } from './media-playlist.ts'
import type { WatchedSegment } from './media-rules.ts'
import { readMediaSegment } from './media-segment.ts'
import { digest, type Origin } from './origin.ts'
import { PlaylistHistory } from './playlist-history.ts'
import type { Recording } from './recording.ts'

/** The longest list, and what left it lately. */
const RETIRED_KEPT = 5_000
/** KVS allows 500 codec private data changes in a session; one list holds few. */
const INITS_KEPT = 500
/** Segments of one list asked for at once, as a player that has just joined would. */
const PARALLEL = 4

export interface WatchOptions {
  readonly clock: Clock
  readonly recording: Recording
  readonly known: KnownSegments
  /** Every how many polls and segments the expensive looks (Range, gzip, fetch again) are taken. */
  readonly spotEvery: number
  readonly report: (finding: Finding) => void
}

export interface Arrival {
  readonly msn: number
  readonly entry: WatchedSegment | 'gap'
}

interface Retired {
  readonly listed: ListedSegment
  readonly url: URL
  /** The last moment at which it was seen in the list. */
  readonly listedAtMs: number
  readonly graceMs: number
}

interface Init {
  readonly digest: string
  readonly bytes: Buffer
  readonly facts: InitSegment
}

/** A listed segment and what came of asking for it: nothing for a gap or a failure. */
interface Fetched {
  readonly listed: ListedSegment
  readonly content?: { readonly bytes: Buffer; readonly init: Init }
}

/** Follows one media playlist and fetches all that it lists. */
export class RenditionWatch {
  readonly name: string
  readonly url: URL
  readonly #origin: Origin
  readonly #options: WatchOptions
  readonly #history: PlaylistHistory
  readonly #inits = new Map<string, Promise<Init | undefined>>()
  #retired: Retired[] = []
  #longestWindowMs = 0
  #nextMsn = 0
  #polls = 0
  #listedAtMs = 0
  #codec: string | undefined

  constructor(name: string, url: URL, origin: Origin, options: WatchOptions) {
    this.name = name
    this.url = url
    this.#origin = origin
    this.#options = options
    this.#history = new PlaylistHistory(options.known)
  }

  /** The codec of the newest segment's init segment; undefined before there is one. */
  get codec(): string | undefined {
    return this.#codec
  }

  /** Loads the list once and whatever is new in it; returns that in order. */
  async poll(): Promise<readonly Arrival[]> {
    const answer = await this.#get(this.url, 'http-failed')
    if (answer === undefined) return []
    const previous = this.#history.previous
    const playlist = await this.#read(answer)
    if (playlist === undefined) return []
    this.#retire(previous, playlist)
    this.#listedAtMs = this.#options.clock.now()
    const arrivals = await this.#fetchNew(playlist)
    await this.#lookAgain(playlist, answer)
    return arrivals
  }

  async #read(answer: Answer): Promise<MediaPlaylist | undefined> {
    if (answer.status !== 200) {
      this.#report({ kind: 'http-status', detail: `playlist: ${answer.status}` })
      return undefined
    }
    const text = answer.body.toString()
    try {
      const playlist = parseMediaPlaylist(text)
      const findings = [
        ...this.#history.take(playlist),
        ...checkHeaders(
          'media-playlist',
          answer,
          this.name,
          playlist.ended ? undefined : playlist.targetDurationS,
        ),
      ]
      for (const finding of findings) this.#report({ excerpt: excerpt(text), ...finding })
      return playlist
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error
      this.#report({ kind: 'playlist-syntax', detail: error.message, excerpt: excerpt(text) })
      return undefined
    }
  }

  async #fetchNew({ segments }: MediaPlaylist): Promise<readonly Arrival[]> {
    const fresh = segments.filter(({ msn }) => msn >= this.#nextMsn)
    this.#nextMsn = Math.max(this.#nextMsn, (segments.at(-1)?.msn ?? -1) + 1)
    const arrivals: Arrival[] = []
    for (let i = 0; i < fresh.length; i += PARALLEL) {
      const group = fresh.slice(i, i + PARALLEL).map((listed) => this.#fetch(listed))
      // Answers come in any order; what is made of them goes by the list's.
      for (const fetched of await Promise.all(group)) arrivals.push(...this.#take(fetched))
    }
    return arrivals
  }

  async #fetch(listed: ListedSegment): Promise<Fetched> {
    const { msn } = listed
    if (listed.gap) return { listed }
    const url = this.#childUrl(listed.uri, msn)
    const answer = await this.#get(url, 'not-fetchable', msn)
    const init = await this.#init(listed)
    if (answer === undefined || init === undefined) return { listed }
    if (answer.status !== 200) {
      this.#report({ kind: 'not-fetchable', msn, detail: `${listed.uri}: ${answer.status}` })
      return { listed }
    }
    for (const finding of checkHeaders('segment', answer, this.name, undefined)) {
      this.#report({ ...finding, msn })
    }
    this.#compareBytes(listed, answer)
    if (msn % this.#options.spotEvery === 0) await this.#checkForms(url, answer, msn)
    return { listed, content: { bytes: answer.body, init } }
  }

  #take({ listed, content }: Fetched): readonly Arrival[] {
    const { msn, gap, uri } = listed
    if (gap) return [{ msn, entry: 'gap' }]
    if (content === undefined) return []
    const { bytes, init } = content
    const { discontinuity } = listed
    this.#options.recording.add(init.bytes, { initDigest: init.digest, bytes, discontinuity })
    this.#codec = init.facts.codec
    try {
      const media = readMediaSegment(bytes, init.facts)
      return [{ msn, entry: { listed, media, initDigest: init.digest } }]
    } catch (error) {
      this.#malformed(error, uri, msn)
      return []
    }
  }

  async #checkForms(url: URL, answer: Answer, msn: number): Promise<void> {
    const findings = await this.#unlessFailed(async () => [
      ...(await this.#origin.checkRange(url, answer)),
      ...(await this.#origin.checkNotModified(url, answer)),
    ])
    for (const finding of findings) this.#report({ ...finding, msn })
  }

  /** Each init segment once; whoever needs it meanwhile waits for the same answer. */
  #init({ mapUri, msn }: ListedSegment): Promise<Init | undefined> {
    if (mapUri === undefined) return Promise.resolve(undefined)
    const known = this.#inits.get(mapUri)
    if (known !== undefined) return known
    const loading = this.#loadInit(mapUri, msn)
    this.#inits.set(mapUri, loading)
    const [oldest] = this.#inits.keys()
    if (this.#inits.size > INITS_KEPT && oldest !== undefined) this.#inits.delete(oldest)
    return loading
  }

  async #loadInit(mapUri: string, msn: number): Promise<Init | undefined> {
    const answer = await this.#get(this.#childUrl(mapUri, msn), 'not-fetchable', msn)
    if (answer === undefined) return undefined
    if (answer.status !== 200) {
      this.#report({ kind: 'not-fetchable', msn, detail: `${mapUri}: ${answer.status}` })
      return undefined
    }
    for (const finding of checkHeaders('init', answer, this.name, undefined)) {
      this.#report({ ...finding, msn })
    }
    try {
      const facts = readInitSegment(answer.body)
      return { digest: digest(answer.body), bytes: answer.body, facts }
    } catch (error) {
      this.#malformed(error, mapUri, msn)
      return undefined
    }
  }

  /** What was looked at before must still be the same: forms of the list, old segments, retired ones. */
  async #lookAgain(playlist: MediaPlaylist, answer: Answer): Promise<void> {
    this.#polls += 1
    await this.#checkRetired()
    if (this.#polls % this.#options.spotEvery !== 1) return
    const findings = await this.#unlessFailed(async () => [
      ...(await this.#origin.checkNotModified(this.url, answer)),
      ...(await this.#origin.checkGzip(this.url, answer)),
    ])
    for (const finding of findings) this.#report(finding)
    const oldest = playlist.segments.find(({ gap }) => !gap)
    if (oldest !== undefined) await this.#refetch(oldest, 'not-fetchable')
    await this.#refetchInit(oldest?.mapUri)
  }

  async #refetchInit(mapUri: string | undefined): Promise<void> {
    const before = mapUri === undefined ? undefined : await this.#inits.get(mapUri)
    if (mapUri === undefined || before === undefined) return
    const answer = await this.#get(new URL(mapUri, this.url), 'not-fetchable')
    if (answer === undefined) return
    if (answer.status !== 200) {
      this.#report({ kind: 'not-fetchable', detail: `${mapUri}: ${answer.status}` })
      return
    }
    if (digest(answer.body) === before.digest) return
    this.#report({ kind: 'bytes-changed', detail: `${mapUri}: not the bytes of before` })
  }

  /** @param untilMs until when it was promised: an answer that comes later, from a server that stood still, tells nothing */
  async #refetch(
    listed: ListedSegment,
    kind: 'not-fetchable' | 'gone-too-soon',
    untilMs = Number.POSITIVE_INFINITY,
  ): Promise<void> {
    const { msn, uri } = listed
    const answer = await this.#get(new URL(uri, this.url), kind, msn)
    if (answer === undefined) return
    const isPromised = this.#options.clock.now() < untilMs
    if (answer.status === 200) this.#compareBytes(listed, answer)
    else if (isPromised) this.#report({ kind, msn, detail: `${uri}: ${answer.status}` })
  }

  #compareBytes({ uri, msn }: ListedSegment, { body }: Answer): void {
    const now = digest(body)
    const before = this.#options.known.digestOf(uri, now)
    if (before === undefined || before === now) return
    const detail = `${uri}: SHA-256 was ${before.slice(0, 12)}, is ${now.slice(0, 12)}`
    this.#report({ kind: 'bytes-changed', msn, detail })
  }

  /** G6: after it left the list, a segment stays for its duration plus the longest window. */
  #retire(previous: MediaPlaylist | undefined, next: MediaPlaylist): void {
    const windowMs = next.segments.reduce((sum, { durationMs }) => sum + durationMs, 0)
    this.#longestWindowMs = Math.max(this.#longestWindowMs, windowMs)
    const gone = (previous?.segments ?? []).filter(
      ({ msn, gap }) => msn < next.mediaSequence && msn % this.#options.spotEvery === 0 && !gap,
    )
    for (const listed of gone) {
      this.#retired.push({
        listed,
        url: new URL(listed.uri, this.url),
        listedAtMs: this.#listedAtMs,
        graceMs: listed.durationMs + this.#longestWindowMs,
      })
    }
    this.#retired = this.#retired.slice(-RETIRED_KEPT)
  }

  async #checkRetired(): Promise<void> {
    const now = this.#options.clock.now()
    const late = (retired: Retired): boolean => now - retired.listedAtMs >= 0.8 * retired.graceMs
    const due = this.#retired.filter(late)
    this.#retired = this.#retired.filter((retired) => !late(retired))
    for (const { listed, listedAtMs, graceMs } of due) {
      // The monitor itself came too late: the promise has run out.
      const untilMs = listedAtMs + graceMs
      if (now < untilMs) await this.#refetch(listed, 'gone-too-soon', untilMs)
    }
  }

  #childUrl(uri: string, msn: number): URL {
    if (/^([a-z][a-z0-9+.-]*:|\/)/i.test(uri)) {
      this.#report({ kind: 'playlist-syntax', msn, detail: `${uri} is not relative` })
    }
    return new URL(uri, this.url)
  }

  async #get(
    url: URL,
    kind: 'http-failed' | 'not-fetchable' | 'gone-too-soon',
    msn?: number,
  ): Promise<Answer | undefined> {
    try {
      return await this.#origin.get(url)
    } catch (error) {
      this.#origin.throwIfClosed()
      const detail = `${url.pathname}: ${String(error)}`
      this.#report({ kind, detail, ...(msn === undefined ? {} : { msn }) })
      return undefined
    }
  }

  async #unlessFailed(look: () => Promise<readonly Finding[]>): Promise<readonly Finding[]> {
    try {
      return await look()
    } catch (error) {
      this.#origin.throwIfClosed()
      return [{ kind: 'http-failed', detail: String(error) }]
    }
  }

  #malformed(error: unknown, uri: string, msn: number): void {
    if (!(error instanceof BoxError || error instanceof RangeError)) throw error
    this.#report({ kind: 'segment-malformed', msn, detail: `${uri}: ${error.message}` })
  }

  #report(finding: Finding): void {
    this.#options.report({ rendition: this.name, ...finding })
  }
}

/** Short lists whole, long ones by both ends. */
function excerpt(text: string): string {
  const lines = text.split('\n')
  return lines.length <= 60 ? text : [...lines.slice(0, 20), '…', ...lines.slice(-20)].join('\n')
}
