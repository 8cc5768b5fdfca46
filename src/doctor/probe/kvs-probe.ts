import type { Clock } from '../../base/clock.ts'
import { withDeadline } from '../../base/deadline.ts'
import type { KvsObservations, ListedFragments, SessionLook, StreamUse } from '../../trace/trace.ts'
import type { UpstreamAgent } from '../../upstream/agent.ts'
import { lookAtHost } from '../../upstream/host-look.ts'
import type { KvsLooks, LookedApi } from '../../upstream/kvs/kvs-looks.ts'
import { type KvsSource, regionOf } from '../../upstream/kvs/kvs-source.ts'
import { REGIONS } from '../../upstream/kvs/regions.ts'
import type { Proxies } from '../../upstream/proxies.ts'
import type { Seen } from '../../upstream/seen.ts'
import { CallBook } from './call-book.ts'
import { lookAtMatroska } from './matroska-looks.ts'
import { lookAtSession } from './session-probe.ts'

/** How far back fragments are listed: what is wrong with times shows within that, and it is one page. */
const LISTED_MS = 5 * 60_000
/** How much more, where this machine’s clock is off: of 1-s fragments it still is one page. */
const MOST_LISTED_MS = 11 * 60_000
const PAGE = 1000
/** How far back is looked whether anything was recorded at all. */
const BEFORE_MS = 24 * 3_600_000
/** How much of two fragments is read: what they begin with tells most. */
const MOST_MEDIA_BYTES = 16 * 1024 * 1024
/** How often a call is made again that KVS has throttled, and after how long. */
const THROTTLED = { again: 2, waitMs: 1200 }
/** A session that is looked at needs no longer, and lists no more, whatever the stream’s own will do. */
const SEARCH_MS = 8000
const LOOK = { expiresMs: 300_000, mostResults: 20 }

export interface KvsProbeParts {
  readonly clock: Clock
  readonly looks: KvsLooks
  readonly dispatcher: Pick<UpstreamAgent, 'request'>
  readonly proxies: Proxies
  /** How many more streams may be looked for in other regions: each is a call in all of them. */
  readonly searches: { left: number }
}

/** Says what is looked at, and what it will be used for. */
export interface KvsSubject {
  readonly source: KvsSource
  /** The region of a stream that does not name its own. */
  readonly region: string | undefined
  readonly use: StreamUse
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] }

/**
 * Looks at a stream, cheapest things first: who asks, where, what it is, what it has recorded, what a session shows. What
 * fails stops what depends on it, and nothing else.
 */
export async function lookAtKvs(
  parts: KvsProbeParts,
  subject: KvsSubject,
  signal: AbortSignal,
): Promise<KvsObservations> {
  return new KvsProbe(parts, subject, signal).run()
}

class KvsProbe {
  readonly #parts: KvsProbeParts
  readonly #source: KvsSource
  readonly #signal: AbortSignal
  readonly #book: CallBook
  readonly #seen: Mutable<KvsObservations>

  constructor(parts: KvsProbeParts, { source, region, use }: KvsSubject, signal: AbortSignal) {
    const { clock, proxies } = parts
    this.#parts = parts
    this.#source = {
      ...source,
      expiresMs: LOOK.expiresMs,
      fragmentResults: Math.min(source.fragmentResults, LOOK.mostResults),
    }
    this.#signal = signal
    this.#book = new CallBook(clock)
    this.#seen = {
      kind: 'kvs',
      takenMs: clock.date(),
      settings: {
        identity: source.streamArn === undefined ? 'name' : 'arn',
        region: regionOf(source) ?? region ?? null,
        fragmentSelectorType: source.fragmentSelectorType,
        containerFormat: source.containerFormat,
        discontinuityMode: source.discontinuityMode,
        expiresS: source.expiresMs / 1000,
        fragmentResults: source.fragmentResults,
      },
      use,
      proxy: proxies.http !== undefined || proxies.https !== undefined,
      isCut: false,
      calls: [],
    }
  }

  /** Returns what was seen by the time that the signal aborted, too. */
  async run(): Promise<KvsObservations> {
    try {
      await this.#look()
    } catch (error) {
      if (!this.#signal.aborted) throw error
      this.#seen.isCut = true
    }
    return { ...this.#seen, calls: this.#book.calls }
  }

  async #look(): Promise<void> {
    if (!(await this.#credentials())) return
    if (!(await this.#describe())) return
    await this.#tier()
    const listing = this.#list()
    // What one of them throws is the end of the time for both.
    await Promise.all([listing.then(() => this.#media()), this.#session()])
  }

  async #credentials(): Promise<boolean> {
    const { looks, clock } = this.#parts
    const { value } = await this.#book.note('Credentials', undefined, () =>
      looks.credentials(this.#source, this.#signal),
    )
    if (value === undefined) return false
    const { isTemporary, expiresMs } = value
    this.#seen.credentials = {
      kind: isTemporary ? 'temporary' : 'long-lived',
      role: this.#source.roleArn !== undefined,
      ...(expiresMs === undefined ? {} : { leftMs: Math.round(expiresMs - clock.date()) }),
    }
    return true
  }

  /** Returns whether there is any sense in going on: KVS has answered, and did not say that there is no such stream. */
  async #describe(): Promise<boolean> {
    const { looks } = this.#parts
    const seen = await this.#patiently('DescribeStream', undefined, () =>
      looks.describe(this.#source, this.#signal),
    )
    const { value, hostname, status } = seen
    if (hostname !== undefined) this.#seen.control = await this.#host(hostname)
    if (value !== undefined) {
      const { Status, DataRetentionInHours, CreationTime, MediaType, KmsKeyId = '' } = value
      const createdMs = CreationTime?.getTime()
      this.#seen.described = {
        status: Status ?? '',
        retentionHours: DataRetentionInHours ?? 0,
        ...(createdMs === undefined ? {} : { createdMs }),
        ...(MediaType === undefined ? {} : { mediaType: MediaType }),
        ownKey: KmsKeyId !== '' && !KmsKeyId.endsWith('alias/aws/kinesisvideo'),
      }
    }
    if (status === 404) await this.#search()
    return status !== undefined && status !== 404
  }

  /** Looks for the name in other regions, because that is where most of what is not found is. */
  async #search(): Promise<void> {
    const { looks, clock, searches } = this.#parts
    const { streamName, streamArn: _, ...access } = this.#source
    if (streamName === undefined || searches.left === 0) return
    searches.left -= 1
    const others = REGIONS.filter((region) => region !== this.#seen.settings.region)
    // Those that do not answer in time are none that it is in, as far as anybody can say.
    const known = await withDeadline(clock, 'the search', SEARCH_MS, this.#signal, (signal) =>
      Promise.all(
        others.map(async (region) => {
          const { value } = await looks.describe({ ...access, streamName, region }, signal)
          return value === undefined ? [] : [region]
        }),
      ),
    ).catch(() => [])
    this.#signal.throwIfAborted()
    const found = known.flat()
    if (found.length > 0 && found.length < others.length) this.#seen.elsewhere = found
  }

  async #tier(): Promise<void> {
    const { looks } = this.#parts
    const { value } = await this.#patiently('DescribeStreamStorageConfiguration', undefined, () =>
      looks.tier(this.#source, this.#signal),
    )
    if (value !== undefined) this.#seen.tier = value
  }

  async #list(): Promise<void> {
    const { clock, looks } = this.#parts
    const endpoint = await this.#endpoint('LIST_FRAGMENTS')
    if (endpoint === undefined) return
    const ask = (sinceMs: number, untilMs: number, results: number) => {
      const range = { clock: 'SERVER' as const, startMs: sinceMs, endMs: untilMs }
      return looks.list(this.#source, endpoint, range, results, this.#signal)
    }
    // By AWS's clock, as it is known by now, and by this machine's, which one would be misled by if it is off.
    const ownMs = clock.date()
    const awsMs = ownMs + this.#aheadMs()
    const endMs = Math.max(ownMs, awsMs)
    const startMs = Math.max(Math.min(ownMs, awsMs), endMs - MOST_LISTED_MS) - LISTED_MS
    const { value } = await this.#patiently('ListFragments', undefined, () =>
      ask(startMs, endMs, PAGE),
    )
    if (value === undefined) return
    const listing: ListedFragments = {
      startMs,
      endMs,
      isWhole: !value.isMore,
      fragments: value.fragments
        .slice(-PAGE)
        .map((one) => ({ ...one, number: String(one.number) })),
    }
    this.#seen.listing = listing
    if (listing.fragments.length > 0) return
    const before = await this.#book.note('ListFragments', 'earlier', () =>
      ask(endMs - BEFORE_MS, startMs, 1),
    )
    if (before.value !== undefined) this.#seen.recorded = before.value.fragments.length > 0
  }

  /** Fetches the newest fragment as it was ingested, and the oldest that was listed: what has changed since shows there. */
  async #media(): Promise<void> {
    const { looks } = this.#parts
    const { fragments = [] } = this.#seen.listing ?? {}
    const numbers = [
      ...new Set([fragments.at(-1), fragments[0]].flatMap((one) => one?.number ?? [])),
    ]
    if (numbers.length === 0) return
    const endpoint = await this.#endpoint('GET_MEDIA_FOR_FRAGMENT_LIST')
    if (endpoint === undefined) return
    const { value } = await this.#book.note('GetMediaForFragmentList', undefined, () =>
      looks.media(this.#source, endpoint, numbers, MOST_MEDIA_BYTES, this.#signal),
    )
    if (value !== undefined) this.#seen.matroska = lookAtMatroska(value, numbers)
  }

  async #session(): Promise<void> {
    const { looks } = this.#parts
    const endpoint = await this.#endpoint('GET_HLS_STREAMING_SESSION_URL')
    if (endpoint === undefined) return
    this.#seen.data = await this.#host(endpoint.hostname)
    const { value } = await this.#patiently('GetHLSStreamingSessionURL', undefined, () =>
      looks.session(this.#source, endpoint, this.#signal),
    )
    if (value === undefined) return
    const session: SessionLook = await lookAtSession(
      { ...this.#parts, book: this.#book },
      value,
      this.#source.containerFormat,
      this.#signal,
    )
    this.#seen.session = session
  }

  async #endpoint(api: LookedApi): Promise<URL | undefined> {
    const { looks } = this.#parts
    const { value } = await this.#patiently('GetDataEndpoint', api, () =>
      looks.endpoint(this.#source, api, this.#signal),
    )
    return value
  }

  /** Makes a call again that is throttled: then somebody else asks as often as one may, which passes. */
  async #patiently<T>(
    operation: string,
    detail: string | undefined,
    ask: () => Promise<Seen<T>>,
  ): Promise<Seen<T>> {
    for (let again = 0; ; again += 1) {
      const seen = await this.#book.note(operation, detail, ask)
      const isThrottled = /^(ClientLimitExceeded|Throttl|TooManyRequests|RequestLimit)/.test(
        seen.fault?.name ?? '',
      )
      if (!isThrottled || again === THROTTLED.again) return seen
      await this.#parts.clock.sleep(THROTTLED.waitMs * (again + 1), this.#signal)
    }
  }

  #host(hostname: string) {
    const { clock, proxies } = this.#parts
    return lookAtHost(clock, hostname, proxies, this.#signal)
  }

  #aheadMs(): number {
    return this.#book.calls.findLast(({ aheadMs }) => aheadMs !== undefined)?.aheadMs ?? 0
  }
}
