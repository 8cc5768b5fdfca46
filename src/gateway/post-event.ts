import type { Clock } from '../base/clock.ts'
import type { Post } from '../events/webhook.ts'
import type { UpstreamAgent } from '../upstream/agent.ts'
import { basicAuthorization } from '../upstream/basic-authorization.ts'
import { readRetryAfter } from '../upstream/retry-after.ts'

/** How much of an answer is read, so that its connection can be used again; what it says matters to nobody. */
const MOST_READ = 16 * 1024

/** Sends events as the gateway sends all else: through the same proxies, and where the address leads, not a redirect. */
export function postEvent({
  agent,
  clock,
}: {
  readonly agent: Pick<UpstreamAgent, 'load'>
  readonly clock: Clock
}): Post {
  return async ({ url, headers, body }, signal) => {
    const target = new URL(url)
    const dispatcher = await agent.load(target.origin)
    const answer = await dispatcher.request({
      origin: target.origin,
      path: target.pathname + target.search,
      method: 'POST',
      headers: { ...headers, ...basicAuthorization(target) },
      body,
      signal,
    })
    // Not waited for: the receiver has said whether it takes the event.
    answer.body.dump({ limit: MOST_READ }).catch(() => {})
    const { 'retry-after': retryAfter, date } = answer.headers
    const retryAfterMs = readRetryAfter(
      one(retryAfter),
      one(date) ?? new Date(clock.date()).toUTCString(),
    )
    return { status: answer.statusCode, retryAfterMs }
  }
}

function one(field: string | string[] | undefined): string | undefined {
  return Array.isArray(field) ? field[0] : field
}
