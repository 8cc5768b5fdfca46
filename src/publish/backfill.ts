import type { Clock } from '../base/clock.ts'
import { GatewayError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import { Outage } from '../base/outage.ts'
import { fetchFragment, listFragments, type SessionFragment } from '../ingest/session-fragments.ts'
import type { GatewayCounters } from '../metrics/gateway-counters.ts'
import type { DvrSegment } from '../timeline/dvr/dvr-segment.ts'
import { ListGaps } from '../timeline/dvr/list-gaps.ts'
import { isGlobal } from '../timeline/fragment-number.ts'
import type { HlsSession } from '../upstream/hls-session.ts'
import type { StoredFragment } from '../upstream/kvs/kvs-api.ts'
import { dateOf, type StoredPast } from '../upstream/kvs/stored-past.ts'
import { SessionDeadError } from '../upstream/session-dead-error.ts'
import type { Dvr } from './dvr.ts'
import type { Insertions } from './insertions.ts'

export interface BackfillOptions {
  readonly stream: string
  readonly clock: Clock
  readonly log: Log
  readonly counters: GatewayCounters
  readonly past: StoredPast
  /** The list that it fills. */
  readonly dvr: Dvr
  /** Begins what will be a new edition of that. */
  readonly begin: () => Insertions
  /** How far back the list goes. */
  readonly dvrMs: number
  /** Whether all of that is looked for at the start, or only what came late since. */
  readonly fillsAll: boolean
}

/** A fragment that a session of the past lists. */
interface Found {
  readonly session: HlsSession
  readonly listed: SessionFragment
  readonly stored: StoredFragment
}

const LOOK_EVERY_MS = 30_000
/** How long the first look waits, because the live list goes first. */
const FIRST_LOOK_MS = 5_000
/** How much later than KVS says that it came a fragment may be shown. */
const MARGIN_MS = 600_000
/**
 * How many fragments are fetched for one edition, so that players that come early see them in a while, and there are
 * not too many editions.
 */
const BATCH = 300
/** How long ago bytes may have come that may push out others; most of those are newer. */
const RECENT_MS = 2 * LOOK_EVERY_MS
/** How far two fragments may be apart for one session to show both. */
const SESSION_MS = 600_000

/**
 * Finds what KVS keeps of a stream and the list lacks: fragments that came late, which KVS never puts into a
 * LIVE list, those that were lost to us in an outage, and, if wanted, all from before the start. They go
 * into the past of the DVR list, where they were recorded, never to the live edge.
 */
export class Backfill {
  readonly #options: BackfillOptions
  /**
   * The fragments that were looked at and are not to be had, or fit no gap; by number, as long as they may be looked
   * at.
   */
  readonly #refused = new Map<bigint, number>()
  /** Says a failure once, because for lack of a permission, say, it would be told for ever. */
  readonly #outage: Outage

  constructor(options: BackfillOptions) {
    this.#options = options
    this.#outage = new Outage(options.log, {
      level: 'warn',
      fails: 'late fragments cannot be looked for',
      works: 'late fragments can be looked for again',
    })
  }

  /** Looks again and again until `signal` aborts, and rejects with its reason. */
  async run(signal: AbortSignal): Promise<never> {
    const { clock, dvrMs, fillsAll } = this.#options
    const startMs = clock.now()
    let lookedMs = clock.date() - (fillsAll ? dvrMs : 0)
    for (let waitMs = fillsAll ? FIRST_LOOK_MS : LOOK_EVERY_MS; ; waitMs = LOOK_EVERY_MS) {
      await clock.sleep(waitMs, signal)
      const nowMs = clock.date()
      const reachMs = fillsAll ? dvrMs : clock.now() - startMs
      // A date that was set back lies before the last look.
      const sinceMs = Math.min(lookedMs, nowMs) - MARGIN_MS
      const fromMs = Math.max(sinceMs, nowMs - Math.min(reachMs, dvrMs))
      const look = async (): Promise<void> => {
        await this.#look(fromMs, signal)
        lookedMs = nowMs
      }
      await this.#outage.attempt({}, look, signal)
    }
  }

  async #look(sinceMs: number, signal: AbortSignal): Promise<void> {
    const { clock, past } = this.#options
    const range = { clock: 'SERVER', startMs: sinceMs, endMs: clock.date() } as const
    const stored = await past.list(range, signal)
    this.#forgetRefused(sinceMs)
    for (let wanted = this.#missing(stored, sinceMs); wanted.length > 0; ) {
      // The newest first: that is where viewers are.
      await this.#recover(wanted.slice(-BATCH), signal)
      const left = this.#missing(stored, sinceMs)
      if (left.length >= wanted.length) return
      wanted = left
    }
  }

  /** Returns those that fit into a gap, by date. */
  #missing(stored: readonly StoredFragment[], sinceMs: number): readonly StoredFragment[] {
    const { dvr, dvrMs, clock } = this.#options
    const listed = dvr.listedSince(sinceMs - MARGIN_MS)
    const own = listed.filter(({ source }) => source === 'camera')
    const known = new Set(own.map(({ number }) => number))
    const newest = own.reduce((most, { number }) => (number > most ? number : most), 0n)
    const oldestMs = clock.date() - dvrMs
    const gaps = new ListGaps(listed)
    return stored
      .filter(({ number }) => isGlobal(number) && number < newest && !known.has(number))
      .filter((fragment) => !this.#refused.has(fragment.number) && this.#date(fragment) >= oldestMs)
      .filter((fragment) => gaps.find(this.#stretch(fragment)) !== undefined)
      .toSorted((a, b) => this.#date(a) - this.#date(b))
  }

  async #recover(wanted: readonly StoredFragment[], signal: AbortSignal): Promise<void> {
    const { counters, stream, log } = this.#options
    const insertions = this.#options.begin()
    for (const near of this.#windows(wanted)) await this.#fetch(near, insertions, signal)
    const inserted = await insertions.finish()
    for (const { number, serverMs } of wanted) {
      if (!inserted.some((segment) => segment.number === number))
        this.#refused.set(number, serverMs)
    }
    if (inserted.length === 0) return
    counters.lateFragments.add({ stream }, inserted.length)
    log.info('fragments of the past inserted', {
      fragments: inserted.length,
      from: iso(inserted[0]),
      to: iso(inserted.at(-1)),
    })
  }

  /** Groups them by what one session can show. */
  #windows(wanted: readonly StoredFragment[]): readonly (readonly StoredFragment[])[] {
    const windows: StoredFragment[][] = []
    for (const fragment of wanted) {
      const last = windows.at(-1)
      const before = last?.at(-1)
      const isNear = before !== undefined && this.#date(fragment) - this.#date(before) < SESSION_MS
      if (last === undefined || !isNear) windows.push([fragment])
      else last.push(fragment)
    }
    return windows
  }

  async #fetch(
    wanted: readonly StoredFragment[],
    insertions: Insertions,
    signal: AbortSignal,
  ): Promise<void> {
    const dates = wanted.map((fragment) => this.#date(fragment))
    const window = { startMs: Math.min(...dates) - 1, endMs: Math.max(...dates) + 1 }
    const session = await this.#open({ ...window, fragmentResults: 4 * BATCH }, signal)
    if (session === undefined) return
    try {
      const fragments = await listFragments(session, signal)
      const listed = new Map(fragments.map((each) => [each.number, each]))
      for (const stored of wanted) {
        const each = listed.get(stored.number)
        if (each === undefined) continue
        await this.#add(insertions, { session, listed: each, stored }, signal)
      }
    } finally {
      session.close()
    }
  }

  /** Opens a session; undefined where KVS has nothing to show after all. */
  async #open(
    window: Parameters<StoredPast['open']>[0],
    signal: AbortSignal,
  ): Promise<HlsSession | undefined> {
    try {
      return await this.#options.past.open(window, signal)
    } catch (error) {
      if (error instanceof GatewayError && error.code === 'no_media') return undefined
      throw error
    }
  }

  /**
   * Adds fragments and leaves out those that are not to be had or fit nowhere; only a session that is over ends all.
   */
  async #add(
    insertions: Insertions,
    { session, listed, stored: { serverMs, lengthMs } }: Found,
    signal: AbortSignal,
  ): Promise<void> {
    const { clock } = this.#options
    const { number, dateMs } = listed
    try {
      const tracks = await fetchFragment(session, listed, signal)
      const isOld = clock.date() - serverMs > RECENT_MS
      const fragment = {
        listed: { number, startMs: dateMs, durationS: lengthMs / 1_000 },
        timeBase: session.id,
        receivedMs: serverMs,
        tracks,
      }
      await insertions.add(fragment, isOld ? 'spare' : 'none')
    } catch (error) {
      signal.throwIfAborted()
      if (error instanceof SessionDeadError) throw error
      this.#options.log.debug('fragment of the past left out', { fragment: String(number), error })
    }
  }

  #forgetRefused(sinceMs: number): void {
    for (const [number, serverMs] of this.#refused) {
      if (serverMs < sinceMs) this.#refused.delete(number)
    }
  }

  #stretch(fragment: StoredFragment): { readonly startMs: number; readonly endMs: number } {
    const startMs = this.#date(fragment)
    return { startMs, endMs: startMs + fragment.lengthMs }
  }

  #date(fragment: StoredFragment): number {
    return dateOf(fragment, this.#options.past.clock)
  }
}

function iso(segment: DvrSegment | undefined): string {
  return new Date(segment?.startMs ?? 0).toISOString()
}
