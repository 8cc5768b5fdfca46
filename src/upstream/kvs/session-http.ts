import type { Random } from '../../base/backoff.ts'
import type { Clock } from '../../base/clock.ts'
import { withDeadline } from '../../base/deadline.ts'
import type { UpstreamAgent } from '../agent.ts'
import {
  type Announced,
  BodyReader,
  bodySize,
  chunksOf,
  type Meter,
  readFault,
  truncated,
} from '../answer.ts'
import type { Answer } from '../arriving-answer.ts'
import { failureLabel, faultCode, faultError, type UpstreamFault } from '../errors.ts'
import {
  type Attempt,
  type Exchange,
  Exchanges,
  type RequestKind,
  USER_AGENT,
} from '../exchange.ts'
import type { StreamedBody } from '../hls-session.ts'
import type { UpstreamObserver } from '../observer.ts'
import type { Priority, Quota } from '../quota-queue.ts'
import type { SecretUrl } from '../secret-url.ts'
import { only } from '../session-base.ts'
import { SessionDeadError } from '../session-dead-error.ts'
import { asKvsError } from './kvs-error.ts'
import type { FragmentRequest, SessionRequest } from './quota.ts'

const MIB = 1024 * 1024

/** Bounds a fragment: KVS takes them up to 50 MB. */
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

/**
 * How often something is asked for. The waits between come to three seconds at most: about what players have in hand when
 * a fragment is listed, and what a lost one would cost them.
 */
const ATTEMPTS = 6

/** How much longer work on the past may wait for its turn, because it yields to live, and that is no fault of KVS. */
const YIELD_MS = 20_000

/** How long a body may stall that somebody reads while it arrives. */
const STALL_MS = 5000

export interface SessionHttpDeps {
  readonly dispatcher: Pick<UpstreamAgent, 'request'>
  readonly clock: Clock
  readonly random: Random
  readonly quota: Quota<SessionRequest>
  readonly observer: UpstreamObserver
  /** How urgent all requests of the session are, whatever they ask for themselves. */
  readonly priority?: Priority
}

/** Says how one request is to be made, beyond what it asks for. */
export interface RequestWish {
  /** How urgent it is. Default: `live`. */
  readonly priority?: Priority
  readonly announced?: Announced | undefined
}

/**
 * Sends the plain GETs of one session: within quota, deadlines and size bounds, complete or not at all. Redirects are
 * not followed, because KVS sends none, and a token must not travel. No error holds a URL.
 */
export class SessionHttp {
  readonly #deps: SessionHttpDeps
  readonly #exchanges: Exchanges

  constructor(deps: SessionHttpDeps) {
    this.#deps = deps
    this.#exchanges = new Exchanges({ ...deps, translate: asKvsError })
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
    { priority = 'live', announced }: RequestWish = {},
  ): Promise<T> {
    const kind = KINDS[request]
    const exchange = this.#exchange(request, url, priority)
    const reader = new BodyReader({ maxBytes: kind.maxBytes, announced })
    return this.#exchanges.run(exchange, signal, async ({ answer }, meter) => {
      await requireOk(request, answer, meter)
      const result = parse(await reader.read(answer, meter))
      this.#exchanges.report(kind, '200', meter)
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
    const kind = KINDS[request]
    const exchange = this.#exchange(request, url, priority)
    const reader = new BodyReader({ maxBytes: kind.maxBytes })
    return this.#exchanges.run(exchange, signal, async ({ answer }, meter) => {
      await requireOk(request, answer, meter)
      const size = bodySize(answer, kind.maxBytes)
      if (size !== undefined) return { size, body: this.#pass(kind, answer, size, signal, meter) }
      // How much it is shows only at the end.
      const body = await reader.read(answer, meter)
      this.#exchanges.report(kind, '200', meter)
      return { size: body.length, body: only(body) }
    })
  }

  #exchange(request: SessionRequest, url: SecretUrl, wish: Priority): Exchange {
    const { quota, priority = wish } = this.#deps
    const kind = KINDS[request]
    const yieldMs = this.#deps.priority === 'archive' ? YIELD_MS : 0
    return {
      kind: { ...kind, totalMs: kind.totalMs + yieldMs },
      attempts: ATTEMPTS,
      countsUntil: 'answered',
      takeTurn: (signal) => quota.take(request, signal, priority),
      send: (signal) => this.#send(url.reveal(), signal),
    }
  }

  async #send(url: URL, signal: AbortSignal): Promise<{ answer: Answer; url: URL }> {
    const { origin, pathname, search } = url
    const answer = await this.#deps.dispatcher.request({
      origin,
      path: pathname + search,
      method: 'GET',
      headers: { 'accept-encoding': 'identity', 'user-agent': USER_AGENT },
      signal,
    })
    return { answer, url }
  }

  async *#pass(
    kind: RequestKind,
    answer: Answer,
    size: number,
    signal: AbortSignal,
    meter: Attempt,
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
      throw asKvsError(error)
    } finally {
      answer.body.destroy()
      this.#exchanges.report(kind, label, meter)
    }
  }

  #beforeStall<T>(signal: AbortSignal, next: () => Promise<T>): Promise<T> {
    return withDeadline(this.#deps.clock, 'the next bytes of a fragment', STALL_MS, signal, next)
  }
}

async function requireOk(request: SessionRequest, answer: Answer, meter: Meter): Promise<void> {
  if (answer.statusCode !== 200) throw refusal(request, await readFault(answer, meter))
}

/** Returns what a status other than 200 means for a session. KVS.md, section 5. */
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
