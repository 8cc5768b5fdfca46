import { silentLog } from '../../src/base/log.ts'
import { EventBus } from '../../src/events/event-bus.ts'
import type { GatewayEvent } from '../../src/events/gateway-event.ts'
import { Counter } from '../../src/metrics/counter.ts'
import { ManualClock } from './manual-clock.ts'

/** A bus that nothing is known of but what is told on it. */
export function silentEvents(clock = new ManualClock(), kept = 1_000): EventBus {
  const happened = new Counter(['type'])
  const life = { source: '/kvs-hls-gateway/test', life: 'l1' }
  return new EventBus({ clock, log: silentLog, ...life, happened, kept })
}

/** What an event says, in a form that is easily compared. */
export function told({ type, subject, data }: GatewayEvent): readonly unknown[] {
  return subject === undefined ? [type, data] : [type, subject, data]
}
