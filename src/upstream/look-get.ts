import type { Clock } from '../base/clock.ts'
import { withDeadline } from '../base/deadline.ts'
import type { UpstreamAgent } from './agent.ts'
import { BodyReader, readFault } from './answer.ts'
import { USER_AGENT } from './exchange.ts'
import type { SecretUrl } from './secret-url.ts'
import { type Seen, seenFault } from './seen.ts'

export interface LookBounds {
  /** How long it may take. */
  readonly withinMs: number
  readonly maxBytes: number
}

/**
 * Sends one GET of a session, once, and tells how it went instead of throwing.
 * @throws the signal's reason
 */
export async function lookGet(
  { dispatcher, clock }: { dispatcher: Pick<UpstreamAgent, 'request'>; clock: Clock },
  url: SecretUrl,
  { withinMs, maxBytes }: LookBounds,
  signal: AbortSignal,
): Promise<Seen<Buffer>> {
  const seen: { -readonly [Key in keyof Seen<Buffer>]: Seen<Buffer>[Key] } = {}
  try {
    seen.value = await withDeadline(clock, 'the answer', withinMs, signal, async (limited) => {
      const { origin, pathname, search, hostname } = url.reveal()
      seen.hostname = hostname
      const answer = await dispatcher.request({
        origin,
        path: pathname + search,
        method: 'GET',
        headers: { 'accept-encoding': 'identity', 'user-agent': USER_AGENT },
        signal: limited,
      })
      seen.status = answer.statusCode
      seen.headers = answer.headers
      const dateMs = Date.parse(answer.headers.date ?? '')
      if (!Number.isNaN(dateMs)) seen.dateMs = dateMs
      const meter = { bytes: 0 }
      if (answer.statusCode === 200) return new BodyReader({ maxBytes }).read(answer, meter)
      const { name, message } = await readFault(answer, meter)
      seen.fault = { name: name === '' ? `HTTP ${answer.statusCode}` : name, message }
      return undefined
    })
  } catch (error) {
    signal.throwIfAborted()
    seen.fault = seenFault(error)
  }
  return seen
}
