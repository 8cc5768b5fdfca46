import { type ErrorCode, GatewayError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import type { Lack } from '../ingest/fetch-fragment.ts'
import {
  isTransient,
  named,
  translate,
  type UpstreamName,
  upstreamError,
} from '../upstream/errors.ts'
import { SessionDeadError } from '../upstream/session-dead-error.ts'

/** Trouble that waiting does not cure, because somebody has to change something upstream. */
const PERMANENT: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'upstream_stream_not_found',
  'upstream_not_authorized',
  'upstream_unsupported_media',
  'upstream_codec_private_data',
  'upstream_no_retention',
])

export function isPermanent(code: ErrorCode): boolean {
  return PERMANENT.has(code)
}

/** How many whole fragments in a row say that what was lacking is back. */
const STEADY = 10

/** How many things that fragments lack are told each by a line, until all is back. */
const MOST_TOLD = 8

/** A time in which fragments lack something, or are lost. */
interface Spell {
  /** What the last of them lacked. */
  lack: Lack
  fragments: number
  /** What was told of it. */
  readonly told: Set<string>
}

/** How many refused fragments are remembered: far more than one session lists at a time. */
const REMEMBERED_REFUSALS = 64

/** What the ingest tells its stream about trouble: for the state, the logs and the metrics. */
export type IngestTrouble = Pick<
  StreamTrouble,
  'session' | 'poll' | 'skipped' | 'missing' | 'lacking' | 'refused'
>

/**
 * Keeps the trouble that a stream's upstream is in for its status, and logs it once per change rather than once per
 * attempt.
 */
export class StreamTrouble {
  readonly #log: Log
  readonly #upstream: UpstreamName
  readonly #changed: () => void
  readonly #lost: (fragments: number) => void
  readonly #refused = new Set<bigint>()
  #current: GatewayError | undefined
  /** The code that was logged last. */
  #told: ErrorCode | undefined
  /** Undefined while fragments are whole. */
  #spell: Spell | undefined
  #wholeInARow = 0
  /** The failure that another session may yet cure, and the code for which it was told that one tries. */
  #retried: unknown
  #retriedCode: ErrorCode | undefined

  /**
   * @param upstream what viewers may read whose trouble it is
   * @param changed called when it met or left trouble
   * @param lost called when fragments were listed that cannot be shown
   */
  constructor(
    log: Log,
    upstream: UpstreamName,
    changed: () => void,
    lost: (fragments: number) => void,
  ) {
    this.#log = log
    this.#upstream = upstream
    this.#changed = changed
    this.#lost = lost
  }

  /** What went wrong last since media came last. */
  get current(): GatewayError | undefined {
    return this.#current
  }

  /** Why less is shown than upstream announces, while something is shown; undefined when all is. */
  get lack(): ErrorCode | undefined {
    return this.#spell?.lack.code
  }

  /** Notes a failed attempt that may be repeated: until more is known, that is why nothing comes. */
  attempt(error: GatewayError): void {
    // Whether what is for good is the stream's trouble shows when it is given up: another track may be there.
    if (!isPermanent(error.code)) this.#hinder(error)
  }

  /** Notes that media came, so that whatever it was is over. */
  clear(): void {
    this.#current = undefined
    this.#retriedCode = undefined
    if (this.#told === undefined) return
    this.#told = undefined
    this.#changed()
  }

  /** Says that a session could not be opened, or ended before its time. */
  session(error: unknown): void {
    // The end of a session is daily business: the next one decides whether there is trouble.
    if (error instanceof SessionDeadError || error === this.#retried) return
    this.#set('upstream session failed', error)
  }

  /** Says that a poll failed; polling goes on. */
  poll(error: unknown): void {
    this.#set('upstream poll failed', error)
  }

  /** Says that a fragment cannot be had or used, so that the timeline will have a gap. */
  skipped(number: bigint, error: unknown): void {
    this.#hinder(publicError(error))
    const code = codeOfLoss(error)
    const isNews = this.#lacks({ what: 'whole fragments', code })
    // What is refused for good is refused to the next session as well.
    if (isNews && isPermanent(code)) this.#told = code
    this.#lost(1)
    this.#logFragment(isNews ? 'warn' : 'debug', 'fragment skipped', number, error)
    if (isNews) this.#changed()
  }

  /** Says that so many fragments before this one were listed as missing, or no more when we came. */
  missing(number: bigint, fragments: number): void {
    const what = 'fragments that upstream does not list'
    const isNews = this.#lacks({ what, code: 'upstream_unavailable' })
    this.#lost(fragments)
    if (!isNews) return
    this.#log.warn('fragments missing upstream', { fragment: String(number), missing: fragments })
    this.#changed()
  }

  /** Says what a fragment lacks that was announced or sent, and is shown without; undefined when it is whole. */
  lacking(number: bigint, lack: Lack | undefined): void {
    const fragment = String(number)
    const before = this.lack
    if (lack !== undefined) {
      const { what, code } = lack
      if (this.#lacks(lack)) this.#log.warn('fragments lack something', { fragment, what, code })
    } else {
      this.#wholeInARow += 1
      if (this.#spell === undefined || this.#wholeInARow < STEADY) return
      const { fragments } = this.#spell
      this.#spell = undefined
      this.#log.info('fragments are whole again', { fragment, lacking: fragments })
    }
    if (this.lack !== before) this.#changed()
  }

  /**
   * Says that upstream will not give this fragment in this session. Returns whether a new session should try, which is
   * true the first time for each fragment.
   */
  refused(number: bigint, error: unknown): boolean {
    if (!isRefusal(error) || this.#refused.has(number)) return false
    const oldest = this.#refused.values().next()
    if (this.#refused.size >= REMEMBERED_REFUSALS && oldest.done !== true) {
      this.#refused.delete(oldest.value)
    }
    this.#refused.add(number)
    // Tracks or codecs changed, most likely: not the stream's trouble, unless a new session fares no better.
    this.#retried = error
    this.#current = undefined
    const { code } = publicError(error)
    const method = this.#retriedCode === code ? 'debug' : 'warn'
    this.#retriedCode = code
    this.#logFragment(method, 'fragment refused, a new session tries', number, error)
    return true
  }

  /** Notes what a fragment lacks. Returns whether it was not told yet. */
  #lacks(lack: Lack): boolean {
    this.#wholeInARow = 0
    this.#spell ??= { lack, fragments: 0, told: new Set() }
    this.#spell.lack = lack
    this.#spell.fragments += 1
    const { told } = this.#spell
    const what = `${lack.code} ${lack.what}`
    if (told.has(what) || told.size >= MOST_TOLD) return false
    told.add(what)
    return true
  }

  #hinder(error: GatewayError): void {
    // One fragment that is gone says nothing about the stream.
    if (error.code !== 'segment_gone') this.#current = named(error, this.#upstream)
  }

  #logFragment(level: 'warn' | 'debug', event: string, number: bigint, error: unknown): void {
    const { code, upstreamRequestId: requestId } = publicError(error)
    this.#log[level](event, { fragment: String(number), code, requestId, error })
  }

  #set(event: string, error: unknown): void {
    const known = named(publicError(error), this.#upstream)
    const { code, upstreamRequestId: requestId } = known
    this.#current = known
    if (this.#told === code) return
    this.#told = code
    this.#log.warn(event, { code, requestId, error: known })
    this.#changed()
  }
}

/** Returns the code under which a fragment is lost, or a track of it. */
export function codeOfLoss(error: unknown): ErrorCode {
  const { code } = publicError(error)
  // That is for viewers, of ours.
  return code === 'segment_gone' ? 'upstream_unavailable' : code
}

function publicError(error: unknown): GatewayError {
  const known = translate(error)
  return known instanceof GatewayError ? known : upstreamError('upstream_unavailable', known)
}

/** Trouble that no session can cure, because nothing is there or we have no room for it. */
const WITHOUT_CURE: ReadonlySet<ErrorCode> = new Set(['segment_gone', 'no_media', 'overloaded'])

/**
 * Says whether it is a clear "no" to this fragment in this session, unlike trouble that passes or media that are gone.
 */
function isRefusal(error: unknown): boolean {
  if (!(error instanceof GatewayError) || isTransient(error)) return false
  return !WITHOUT_CURE.has(error.code)
}
