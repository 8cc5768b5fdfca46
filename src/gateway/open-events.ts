import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import type { Config } from '../config/config.ts'
import { EventBus, type EventBusOptions } from '../events/event-bus.ts'
import type { GatewayCounters } from '../metrics/gateway-counters.ts'

/** Makes what tells of all that happens to this node. */
export function openEvents(
  { redis }: Config,
  shared: Pick<EventBusOptions, 'clock' | 'log'> & { readonly counters: GatewayCounters },
): EventBus {
  return new EventBus({
    clock: shared.clock,
    log: shared.log,
    source: sourceOf(redis.node ?? ownHost()),
    life: randomBytes(6).toString('hex'),
    happened: shared.counters.events,
  })
}

/** Names who tells, the same at each start: a URI reference. */
function sourceOf(node: string): string {
  return `/kvs-hls-gateway/${node}`
}

/** Names the host by its first label alone, because the rest may be AWS's, in letters that a URI takes. */
function ownHost(): string {
  return hostname()
    .replace(/\..*$/, '')
    .replaceAll(/[^A-Za-z0-9_-]/g, '-')
}
