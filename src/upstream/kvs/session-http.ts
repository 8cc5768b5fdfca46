import type { Dispatcher } from 'undici'
import type { Random } from '../../base/backoff.ts'
import type { Clock } from '../../base/clock.ts'
import { withDeadline } from '../../base/deadline.ts'
import { arrivalMs, whileArriving } from '../../base/progress.ts'
import {
  type Announced,
  type Answer,
  bodySize,
  chunksOf,
  type Meter,
  readBody,
  readFault,
  truncated,
} from '../answer.ts'
import {
  failureLabel,
  faultCode,
  faultError,
  translate,
  type UpstreamFault,
  unusableAnswer,
} from '../errors.ts'
import { tellFailure, type UpstreamObserver } from '../observer.ts'
import type { Priority } from '../quota-queue.ts'
import { withRetries } from '../retry.ts'
import type { SecretUrl } from '../secret-url.ts'
import { SessionDeadError } from '../session-dead-error.ts'
import type { FragmentRequest, SessionQuota, SessionRequest } from './quota.ts'

interface RequestKind {
  /** As KVS names it in its quotas and metrics. */
  readonly operation: string
  readonly maxBytes: number
  /** One attempt, from the request to the last byte; longer while bytes keep coming. */
  readonly attemptMs: number
  /** All attempts, waits for the quota included; longer by what the bytes that came may take. */
  readonly totalMs: number
}

const MIB = 1024 * 1024

/** KVS takes fragments of up to 50 MB. */
const FRAGMENT = {
  maxBytes: 64 * MIB,
  // Less than a first viewer waits by default: by then it is known why nothing comes.
  attemptMs: 6000,
  totalMs: 20_000,
}

const KINDS: Readonly<Record<SessionRequest, RequestKind>> = {
  master: { operation: 'GetHLSMasterPlaylist', maxBytes: 4 * MIB, attemptMs: 2500, totalMs: 6000 },
  // The next poll is due within a second or so: a retry must not outlive it by much.
  playlist: { operation: 'GetHLSMediaPlaylist', maxBytes: 4 * MIB, attemptMs: 2500, totalMs: 5000 },
  init: { operation: 'GetMP4InitFragment', maxBytes: MIB, attemptMs: 2500, totalMs: 8000 },
  fragment: { operation: 'GetMP4MediaFragment', ...FRAGMENT },
  tsFragment: { operation: 'GetTSFragment', ...FRAGMENT },
}

const ATTEMPTS = 4

/** Work on the past yields to live, and may wait so much longer for its turn: that is no fault of KVS. */
const YIELD_MS = 20_000

/** A body that somebody reads while it arrives must not stall longer than this. */
const STALL_MS = 5000

interface Wanted {
  readonly request: SessionRequest
  readonly url: SecretUrl
  readonly priority: Priority
}

export interface SessionHttpDeps {
  readonly dispatcher: Dispatcher
  readonly clock: Clock
  readonly random: Random
  readonly quota: SessionQuota
  readonly observer: UpstreamObserver
  /** Of all requests of the session, whatever they ask for themselves. */
  readonly priority?: Priority
}

/** A body that is handed on while it arrives. */
export interface StreamedBody {
  readonly size: number
  /** To be read once, soon. Throws GatewayError when it stalls or is cut. */
  readonly body: AsyncIterable<Buffer>
}

/**
 * The plain GETs of one session: within quota, deadlines and size bounds, complete or not at all.
 * Redirects are not followed: KVS sends none, and a token must not travel. No error holds a URL.
 */
export class SessionHttp {
  readonly #deps: SessionHttpDeps

  constructor(deps: SessionHttpDeps) {
    this.#deps = deps
  }

  /**
   * Fetches until `parse` accepts what came: garbage is as good as a broken connection.
   * @throws SessionDeadError, GatewayError (`no_media`, `segment_gone` or `upstream_…`), or the signal's reason
   */
  get<T>(
    request: SessionRequest,
    url: SecretUrl,
    signal: AbortSignal,
    parse: (body: Buffer) => T,
    priority: Priority = 'live',
    announced?: Announced,
  ): Promise<T> {
    const wanted = { request, url, priority }
    return this.#retry(request, signal, async (limited, meter) => {
      const result = await this.#attempt(wanted, limited, meter, async (answer) =>
        parse(nonEmpty(await readBody(answer, KINDS[request].maxBytes, meter, announced))),
      )
      this.#report(request, '200', meter)
      return result
    })
  }

  /** Fetches a fragment for a reader that takes its bytes as they come. Retried until the body starts. */
  stream(
    request: FragmentRequest,
    url: SecretUrl,
    signal: AbortSignal,
    priority: Priority,
  ): Promise<StreamedBody> {
    const wanted = { request, url, priority }
    const { maxBytes } = KINDS[request]
    return this.#retry(request, signal, async (limited, meter) =>
      this.#attempt(wanted, limited, meter, async (answer) => {
        const size = bodySize(answer, maxBytes)
        if (size !== undefined) {
          return { size, body: this.#pass(request, answer, size, signal, meter) }
        }
        // In chunks: how much it is shows only at the end.
        const body = nonEmpty(await readBody(answer, maxBytes, meter))
        this.#report(request, '200', meter)
        return { size: body.length, body: only(body) }
      }),
    )
  }

  #retry<T>(
    request: SessionRequest,
    signal: AbortSignal,
    attempt: (signal: AbortSignal, meter: Meter) => Promise<T>,
  ): Promise<T> {
    const { operation, totalMs } = KINDS[request]
    const meters: Meter[] = []
    const earnedMs = (): number => arrivalMs(meters.reduce((sum, { bytes }) => sum + bytes, 0))
    const { clock, random, priority } = this.#deps
    const limitMs = totalMs + (priority === 'archive' ? YIELD_MS : 0)
    const policy = { what: operation, totalMs: limitMs, attempts: ATTEMPTS, earnedMs }
    return withRetries(clock, random, policy, signal, (limited) => {
      const meter = { bytes: 0 }
      meters.push(meter)
      return attempt(limited, meter)
    })
  }

  /**
   * One request, in its turn and within its deadline. Failures are counted here, success by who knows
   * where the body ends.
   */
  async #attempt<T>(
    wanted: Wanted,
    signal: AbortSignal,
    meter: Meter,
    read: (answer: Answer) => Promise<T>,
  ): Promise<T> {
    const { operation, attemptMs } = KINDS[wanted.request]
    const priority = this.#deps.priority ?? wanted.priority
    const endTurn = await this.#deps.quota.take(wanted.request, signal, priority)
    try {
      const pace = { graceMs: attemptMs, arrived: () => meter.bytes }
      return await whileArriving(this.#deps.clock, operation, pace, signal, async (limited) => {
        const answer = await this.#send(wanted.url, limited)
        endTurn()
        return readOk(wanted.request, answer, meter, read)
      })
    } catch (error) {
      this.#reportFailure(wanted.request, signal, error, meter)
      throw error
    } finally {
      endTurn()
    }
  }

  #send(url: SecretUrl, signal: AbortSignal): Promise<Answer> {
    const { origin, pathname, search } = url.reveal()
    return this.#deps.dispatcher.request({
      origin,
      path: pathname + search,
      method: 'GET',
      headers: { 'accept-encoding': 'identity' },
      signal,
    })
  }

  async *#pass(
    request: FragmentRequest,
    answer: Answer,
    size: number,
    signal: AbortSignal,
    meter: Meter,
  ): AsyncGenerator<Buffer> {
    let label = 'aborted'
    try {
      const chunks = chunksOf(answer, meter)
      for (;;) {
        const next = await this.#beforeStall(signal, () => chunks.next())
        if (next.done === true) break
        yield next.value
      }
      if (meter.bytes !== size) throw truncated(meter.bytes, size)
      label = '200'
    } catch (error) {
      signal.throwIfAborted()
      label = failureLabel(error)
      throw translate(error)
    } finally {
      discard(answer)
      this.#report(request, label, meter)
    }
  }

  #beforeStall<T>(signal: AbortSignal, next: () => Promise<T>): Promise<T> {
    return withDeadline(this.#deps.clock, 'the next bytes of a fragment', STALL_MS, signal, next)
  }

  #reportFailure(
    request: SessionRequest,
    { aborted }: AbortSignal,
    error: unknown,
    meter: Meter,
  ): void {
    this.#report(request, aborted ? 'aborted' : failureLabel(error), meter)
    if (!aborted) tellFailure(this.#deps.observer, error)
  }

  #report(request: SessionRequest, label: string, { bytes }: Meter): void {
    this.#deps.observer.request(KINDS[request].operation, label, bytes)
  }
}

async function readOk<T>(
  request: SessionRequest,
  answer: Answer,
  meter: Meter,
  read: (answer: Answer) => Promise<T>,
): Promise<T> {
  try {
    if (answer.statusCode !== 200) throw refusal(request, await readFault(answer, meter))
    return await read(answer)
  } catch (error) {
    discard(answer)
    throw error
  }
}

/** What a status other than 200 means for a session. KVS.md, section 5. */
function refusal(request: SessionRequest, fault: UpstreamFault): Error {
  // No credentials take part in these requests: who is refused is the token.
  const code = faultCode(fault)
  if (fault.status === 401 || fault.status === 403 || code === 'upstream_not_authorized') {
    const { cause, upstreamRequestId } = faultError(fault, code)
    return new SessionDeadError('refused', { cause, upstreamRequestId })
  }
  const isMissing = fault.status === 404 && isFragment(request)
  // The camera may be fine: it is this one fragment that KVS no longer keeps.
  return isMissing ? faultError(fault, 'segment_gone') : faultError(fault, code)
}

function isFragment(request: SessionRequest): request is FragmentRequest {
  return request === 'fragment' || request === 'tsFragment'
}

function nonEmpty(body: Buffer): Buffer {
  if (body.length === 0) throw unusableAnswer('the body is empty')
  return body
}

/** Lets go of the socket; a body that is already complete does not mind. */
function discard({ body }: Answer): void {
  body.on('error', () => {})
  body.destroy()
}

async function* only(body: Buffer): AsyncGenerator<Buffer> {
  yield await Promise.resolve(body)
}
