import { asDate, type Clock } from '../base/clock.ts'
import type { ErrorCode } from '../base/errors.ts'
import { Episode } from '../events/episode.ts'
import type { Emit } from '../events/gateway-event.ts'
import type { SourceReport, Sources } from '../sources/sources.ts'
import type { LiveSource, SourceName } from '../timeline/fragment.ts'
import type { ToldLoss } from './owners-word.ts'
import type { Ownership } from './ownership.ts'
import type { StreamState } from './stream.ts'

export interface StreamEventsOptions {
  readonly stream: string
  readonly clock: Clock
  readonly emit: Emit
  /** Whether viewers choose its name, within a pattern. */
  readonly isByPattern: boolean
}

/** What is told follows from these, and from how they were before. */
export interface StreamSigns {
  readonly state: StreamState
  /** What keeps media from coming, if that is known. */
  readonly reason: ErrorCode | undefined
  /** Whose media were published last; undefined before the first. */
  readonly source: SourceName | undefined
  /** When media came last, or were first waited for, by the gateway's clock. */
  readonly heardMs: number
  readonly ownership: Pick<Ownership, 'isMine'>
  readonly sources: Pick<Sources, 'forced' | 'hasBackup' | 'reports'>
}

/** How long a camera must be back before that is told, and how long where it comes and goes. */
const LOSS = { calmMs: 10_000, mostCalmMs: 320_000 }
/** How long a backup may take before the stream is lost rather than switched. */
const BACKUP_MS = 10_000
/** How long sessions must work, or points suffice, before the next trouble is another one. */
const OTHERS = { calmMs: 60_000, mostCalmMs: 3_600_000 }

const WRONG: ReadonlySet<StreamState> = new Set(['stale', 'slate', 'offline', 'failed'])

/** When attempts count as failing again and again. */
const REPEATED = { attempts: 3, forMs: 10_000 }

/** The used share of points that is told once it lasts, and the one below which that is over. */
const NEAR = 0.8
const FAR = 0.6
const NEAR_FOR_MS = 5_000

/** How long one source must have been shown before another switch is news at once. */
const SWITCHES = { quietMs: 10_000, mostQuietMs: 320_000, forgottenMs: 600_000 }

type PointKind = 'metadata' | 'media'

/**
 * Tells of a stream what somebody would act on: looks at it whenever it may have changed, once a second at least. Where
 * several nodes follow it, its owner tells, others and them: so that they need not tell it again when they own it.
 */
export class StreamEvents {
  readonly #options: StreamEventsOptions
  readonly #loss = new Episode<'lost' | ErrorCode>(LOSS)
  readonly #sessions = new Map<LiveSource, Episode<ErrorCode>>()
  readonly #points = new Map<string, { readonly episode: Episode<'near'>; nearSinceMs: number }>()
  readonly #switches = new Switches()
  #lostSinceMs = 0
  /** The same as a date, which is told as it was told first. */
  #since = ''
  #wrongSinceMs: number | undefined

  constructor(options: StreamEventsOptions) {
    this.#options = options
  }

  look(signs: StreamSigns): void {
    this.#lookAtSource(signs)
    if (!signs.ownership.isMine) return
    this.#lookAtLoss(signs)
    for (const report of signs.sources.reports()) {
      this.#lookAtSessions(report)
      this.#lookAtPoints(report)
    }
  }

  /** What was told of the camera's being away; undefined while it is there. */
  get loss(): ToldLoss | undefined {
    const kinds = this.#loss.told
    return kinds && { since: this.#since, kinds }
  }

  /** Takes notice of what the owner has told. */
  adopt(loss: ToldLoss | undefined): void {
    this.#loss.adopt(loss?.kinds)
    if (loss === undefined) return
    const { clock } = this.#options
    this.#lostSinceMs = clock.now() - (clock.date() - Date.parse(loss.since))
    this.#since = loss.since
  }

  /** Tells that the stream ended by a fault of our own. */
  crashed(): void {
    const { clock, emit, stream } = this.#options
    const nowMs = clock.now()
    if (!this.#loss.isOpen) this.#begin(nowMs)
    if (this.#loss.look('internal', nowMs) !== 'new') return
    emit('stream.failed', { code: 'internal', since: this.#since }, stream)
  }

  #lookAtLoss(signs: StreamSigns): void {
    const { clock, emit, stream } = this.#options
    const { reason, heardMs } = signs
    const wrong = this.#wrongIn(signs)
    if (wrong === 'unknown') return
    // Who was told that it failed knows that nothing comes.
    const isKnown = this.#loss.isOpen
    if (!isKnown && wrong !== undefined) this.#begin(heardMs)
    const news = this.#loss.look(wrong, clock.now())
    if (news === undefined) return
    const since = this.#since
    if (news === 'over') emit('stream.back', { since, ...this.#gone() }, stream)
    else if (wrong !== undefined && wrong !== 'lost') {
      emit('stream.failed', { code: wrong, since }, stream)
    } else if (!isKnown) {
      emit('stream.lost', { state: signs.state, reason: reason ?? 'no_media', since }, stream)
    }
  }

  #begin(sinceMs: number): void {
    this.#lostSinceMs = sinceMs
    this.#since = this.#iso(sinceMs)
  }

  /** Returns what is wrong with what is shown; undefined: nothing. */
  #wrongIn({ state, reason, sources }: StreamSigns): 'lost' | 'unknown' | ErrorCode | undefined {
    const nowMs = this.#options.clock.now()
    if (!WRONG.has(state)) {
      this.#wrongSinceMs = undefined
      // An idle stream tells neither, and what has ended is not lost.
      return state === 'live' ? undefined : 'unknown'
    }
    this.#wrongSinceMs ??= nowMs
    if (state === 'failed') {
      const code = reason ?? 'internal'
      return this.#isMadeUp(code) ? 'unknown' : code
    }
    const graceMs = sources.hasBackup ? BACKUP_MS : 0
    return nowMs - this.#wrongSinceMs < graceMs ? 'unknown' : 'lost'
  }

  /** Says whether it may well be that somebody made up the name. */
  #isMadeUp(code: string): boolean {
    return this.#options.isByPattern && code === 'upstream_stream_not_found'
  }

  #gone(): { readonly goneSeconds: number; readonly times: number } {
    const { wellSinceMs = this.#options.clock.now(), times } = this.#loss
    return { goneSeconds: Math.round((wellSinceMs - this.#lostSinceMs) / 1000), times }
  }

  #lookAtSource({ source, sources, ownership }: StreamSigns): void {
    const { clock, emit, stream } = this.#options
    const change = this.#switches.look(source, clock.now())
    if (change === undefined || !ownership.isMine) return
    emit('source.switched', { ...change, forced: sources.forced !== undefined }, stream)
  }

  #lookAtSessions({ source, failing }: SourceReport): void {
    const { clock, emit, stream } = this.#options
    const nowMs = clock.now()
    const episode = this.#sessions.get(source) ?? new Episode<ErrorCode>(OTHERS)
    this.#sessions.set(source, episode)
    const isRepeated =
      failing !== undefined &&
      failing.attempts >= REPEATED.attempts &&
      nowMs - failing.sinceMs >= REPEATED.forMs
    if (failing === undefined || !isRepeated) {
      episode.look(undefined, nowMs)
      return
    }
    const { code, attempts, sinceMs, sessionOpen } = failing
    if (this.#isMadeUp(code) || episode.look(code, nowMs) !== 'new') return
    const since = this.#iso(sinceMs)
    emit('session.failed', { source, code, attempts, since, sessionOpen }, stream)
  }

  #lookAtPoints({ source, quota }: SourceReport): void {
    if (quota === null) return
    for (const kind of ['metadata', 'media'] as const) {
      this.#lookAtKind(`${source} ${kind}`, kind, quota.usedRatio(kind))
    }
  }

  #lookAtKind(name: string, kind: PointKind, used: number): void {
    const { clock, emit, stream } = this.#options
    const nowMs = clock.now()
    const points = this.#points.get(name) ?? {
      episode: new Episode<'near'>(OTHERS),
      nearSinceMs: nowMs,
    }
    this.#points.set(name, points)
    const { episode } = points
    if (used < (episode.isOpen ? FAR : NEAR)) points.nearSinceMs = nowMs
    const isNear = nowMs - points.nearSinceMs >= NEAR_FOR_MS
    const news = episode.look(isNear ? 'near' : undefined, nowMs)
    if (news !== 'new') return
    emit('quota.near', { kind, usedRatio: Math.round(used * 100) / 100 }, stream)
  }

  /** Writes a moment of the gateway's clock as a date. */
  #iso(ms: number): string {
    return new Date(asDate(this.#options.clock, ms)).toISOString()
  }
}

/** Notes from whom to whom a stream switches, and when that is news: at once, and less often the more often it does. */
class Switches {
  #told: SourceName = 'camera'
  #shown: SourceName = 'camera'
  #times = 0
  #quietMs = 0
  #toldMs = Number.NEGATIVE_INFINITY

  look(
    source: SourceName | undefined,
    nowMs: number,
  ): { readonly from: string; readonly to: string; readonly times: number } | undefined {
    // Nothing was published, or nothing but a slate.
    if (source === undefined || source === 'slate') return undefined
    if (source !== this.#shown) this.#times += 1
    this.#shown = source
    const sinceMs = nowMs - this.#toldMs
    if (source === this.#told || sinceMs < this.#quietMs) return undefined
    const { quietMs, mostQuietMs, forgottenMs } = SWITCHES
    const isSoon = sinceMs < forgottenMs
    this.#quietMs = isSoon ? Math.min(mostQuietMs, 2 * this.#quietMs) : quietMs
    const change = { from: this.#told, to: source, times: this.#times }
    this.#told = source
    this.#toldMs = nowMs
    this.#times = 0
    return change
  }
}
