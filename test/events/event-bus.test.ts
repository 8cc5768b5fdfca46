import fc from 'fast-check'
import { expect, test } from 'vitest'
import { EVENT_TYPES } from '../../src/base/event-types.ts'
import { silentLog } from '../../src/base/log.ts'
import { EventBus } from '../../src/events/event-bus.ts'
import { type GatewayEvent, gatewayEvent } from '../../src/events/gateway-event.ts'
import { Counter } from '../../src/metrics/counter.ts'
import { ManualClock } from '../support/manual-clock.ts'

const clock = new ManualClock()

function busOf(kept: number, log = silentLog) {
  const happened = new Counter(['type'])
  const bus = new EventBus({ clock, log, source: '/kvs-hls-gateway/a', life: 'l1', happened, kept })
  const happen = (count: number): void => {
    for (let i = 0; i < count; i += 1)
      bus.emit('node.joined', { node: 'b', version: String(i) }, 'b')
  }
  return { bus, happened, happen }
}

test('what is told is CloudEvents 1.0, in structured mode', () => {
  const { bus, happened } = busOf(10)
  bus.emit('stream.failed', { code: 'upstream_no_retention', since: 'then' }, 'lobby')
  bus.emit('auth.refused', { listener: 'public', code: 'forbidden', count: 3, seconds: 60 })
  const [first, second] = bus.recent()
  expect(first).toEqual({
    specversion: '1.0',
    id: 'l1-1',
    source: '/kvs-hls-gateway/a',
    type: 'stream.failed',
    subject: 'lobby',
    time: new Date(clock.date()).toISOString(),
    datacontenttype: 'application/json',
    data: { code: 'upstream_no_retention', since: 'then' },
  })
  // Without a subject the attribute is missing: null is no CloudEvents value.
  expect(second).not.toHaveProperty('subject')
  for (const event of bus.recent()) {
    expect(gatewayEvent.parse(JSON.parse(JSON.stringify(event)))).toEqual(event)
  }
  expect(happened.total({ type: 'stream.failed' })).toBe(1)
})

test('who resumes gets all that came since, or is told how much is missing', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 20 }),
      fc.nat(60),
      fc.nat(70),
      (kept, happenedBefore, seen) => {
        const { bus, happen } = busOf(kept)
        happen(happenedBefore)
        const { events, missed } = bus.after(`l1-${seen}`)
        const numbers = events.map(({ id }) => Number(id.slice('l1-'.length)))
        if (seen > happenedBefore) {
          // Never told here: of another life, or made up.
          expect(missed).toBeNull()
          expect(events).toEqual(bus.recent())
          return
        }
        const all = Array.from({ length: happenedBefore - seen }, (_, i) => seen + 1 + i)
        expect(numbers).toEqual(all.slice(-kept))
        expect(missed).toBe(Math.max(0, all.length - kept))
      },
    ),
  )
})

test.each(['', 'l1', 'l2-1', 'l1--1', 'l1-1e3', 'l1-9999999999999999', '1'])(
  'an id of another life, or none (%j), gets all that is kept',
  (id) => {
    const { bus, happen } = busOf(5)
    happen(7)
    expect(bus.after(id)).toEqual({ events: bus.recent(), missed: null })
    expect(bus.recent()).toHaveLength(5)
    expect(bus.after(bus.latestId)).toEqual({ events: [], missed: 0 })
  },
)

test('a listener that throws disturbs neither who tells nor who listens', () => {
  const errors: string[] = []
  const log = { ...silentLog, error: (line: string) => void errors.push(line) }
  const { bus, happen } = busOf(5, log)
  const heard: GatewayEvent[] = []
  bus.listen(() => {
    throw new Error('no')
  })
  const leave = bus.listen((event) => heard.push(event))
  happen(2)
  leave()
  happen(1)
  expect(heard.map(({ id }) => id)).toEqual(['l1-1', 'l1-2'])
  expect(errors).toEqual(Array(3).fill('an event could not be told'))
})

test('types are names in parts, each said once', () => {
  expect(new Set(EVENT_TYPES).size).toBe(EVENT_TYPES.length)
  for (const type of EVENT_TYPES) expect(type).toMatch(/^[a-z]+\.[a-z]+$/)
})
