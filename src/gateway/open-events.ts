import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import type { Random } from '../base/backoff.ts'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import { packageVersion } from '../base/version.ts'
import type { Config } from '../config/config.ts'
import { EventBus } from '../events/event-bus.ts'
import type { Growth } from '../events/tell-growth.ts'
import { Webhook, type WebhookSettings } from '../events/webhook.ts'
import type { GatewayCounters } from '../metrics/gateway-counters.ts'
import type { UpstreamAgent } from '../upstream/agent.ts'
import { postEvent } from './post-event.ts'

interface EventParts {
  readonly clock: Clock
  readonly log: Log
  readonly counters: GatewayCounters
}

/** Makes what tells of all that happens to this node. */
export function openEvents({ redis }: Config, { clock, log, counters }: EventParts): EventBus {
  return new EventBus({
    clock,
    log,
    source: `/kvs-hls-gateway/${encodeURIComponent(publicName(redis.node ?? hostname()))}`,
    life: randomBytes(6).toString('hex'),
    happened: counters.events,
  })
}

/** Makes what sends it to whoever is configured. */
export function openWebhook(
  { events }: Config,
  parts: EventParts & { readonly random: Random; readonly agent: UpstreamAgent },
): Webhook {
  const { counters } = parts
  const options = {
    ...parts,
    post: postEvent(parts),
    version: packageVersion(),
    sent: counters.eventsSent.cell({}),
    attemptsFailed: counters.eventAttemptsFailed.cell({}),
    dropped: counters.eventsDropped,
    waiting: counters.eventsWaiting,
  }
  return new Webhook(options, webhookSettings(events))
}

/** Says who is called, as configured; undefined: nobody. */
export function webhookSettings({ webhook, types }: Config['events']): WebhookSettings | undefined {
  return webhook && { ...webhook, types }
}

/** Names a node without what AWS appends to the names of its hosts (G16). */
export function publicName(node: string): string {
  return node.replace(/\.(?:.*\.)?(?:internal|amazonaws\.com(?:\.cn)?)$/, '')
}

/** Says what is told as a sum: who was turned away, by rights and by limits. */
export function growths({
  events,
  counters,
}: {
  readonly events: Pick<EventBus, 'emit'>
  readonly counters: GatewayCounters
}): readonly Growth[] {
  const { authRefusals, adminRefusals, streamsRefused, connectionsRefused } = counters
  const refusals = [
    { listener: 'public', counter: authRefusals } as const,
    { listener: 'admin', counter: adminRefusals } as const,
  ].flatMap(({ listener, counter }) =>
    ['unauthenticated', 'forbidden'].map((code) => ({
      total: () => counter.total({ code }),
      tell: (count: number, seconds: number) =>
        events.emit('auth.refused', { listener, code, count, seconds }),
    })),
  )
  const limits = [
    { limit: 'limits.running', counter: streamsRefused },
    { limit: 'limits.connections', counter: connectionsRefused },
  ].map(({ limit, counter }) => ({
    total: () => counter.total(),
    tell: (count: number, seconds: number) =>
      events.emit('limit.reached', { limit, count, seconds }),
  }))
  return [...refusals, ...limits]
}
