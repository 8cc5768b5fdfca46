import fc from 'fast-check'
import { expect, test } from 'vitest'
import { silentLog } from '../../src/base/log.ts'
import { type Post, Webhook, type WebhookSettings } from '../../src/events/webhook.ts'
import { Counter } from '../../src/metrics/counter.ts'
import { silentEvents } from '../support/events.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { pass } from '../support/scripted-stream.ts'

/** What a receiver does with one attempt. */
type Behaviour =
  | { readonly status: number; readonly retryAfterMs?: number }
  /** Nobody answers: at once, or never. */
  | 'refuses'
  | 'hangs'

const OK: Behaviour = { status: 204 }
const SETTINGS: WebhookSettings = { url: 'http://hook.example/', secret: 's', types: [] }

interface Attempt {
  readonly id: string
  readonly startMs: number
  endMs: number
  readonly behaviour: Behaviour
}

/** A webhook whose receiver follows a script, and takes everything when that is over. */
function open(script: readonly Behaviour[], settings: WebhookSettings | undefined = SETTINGS) {
  const clock = new ManualClock()
  const attempts: Attempt[] = []
  const rest = [...script]
  let busy = 0
  const post: Post = async ({ body }, signal) => {
    busy += 1
    expect(busy).toBe(1)
    const { id } = JSON.parse(body.toString()) as { id: string }
    const behaviour = rest.shift() ?? OK
    const attempt = { id, startMs: clock.now(), endMs: clock.now(), behaviour }
    attempts.push(attempt)
    try {
      if (behaviour === 'hangs') await clock.sleep(1e9, signal)
      if (typeof behaviour === 'string') throw new Error('nobody there')
      return { status: behaviour.status, retryAfterMs: behaviour.retryAfterMs }
    } finally {
      attempt.endMs = clock.now()
      busy -= 1
    }
  }
  const events = silentEvents(clock)
  const lines: string[] = []
  const note = (line: string): void => void lines.push(line)
  const counters = {
    sent: { value: 0 },
    attemptsFailed: { value: 0 },
    dropped: new Counter(['reason']),
    waiting: { value: 0 },
  }
  const log = { ...silentLog, warn: note, info: note }
  const webhook = new Webhook(
    { clock, random: () => 0.5, log, post, version: '1', ...counters },
    settings,
  )
  events.listen((event) => webhook.offer(event))
  const happen = (count: number): void => {
    for (let i = 0; i < count; i += 1) events.emit('node.left', { node: 'b', version: '1' }, 'b')
  }
  const taken = (): readonly number[] =>
    attempts
      .filter(({ behaviour: b }) => typeof b !== 'string' && b.status >= 200 && b.status < 300)
      .map(({ id }) => Number(id.split('-')[1]))
  return { clock, webhook, events, happen, attempts, taken, lines, ...counters }
}

const behaviour: fc.Arbitrary<Behaviour> = fc.oneof(
  fc.constantFrom<Behaviour>('refuses', 'hangs'),
  fc.constantFrom(200, 204, 301, 400, 404, 422, 500, 503).map((status) => ({ status })),
  fc.nat(100_000).map((retryAfterMs) => ({ status: 429, retryAfterMs })),
)

test('whatever the receiver does, events come in order, and what never comes is counted', async () => {
  const steps = fc.array(fc.record({ count: fc.integer({ min: 1, max: 4 }), ms: fc.nat(90_000) }), {
    minLength: 1,
    maxLength: 6,
  })
  await fc.assert(
    fc.asyncProperty(fc.array(behaviour, { maxLength: 12 }), steps, async (script, offered) => {
      const hook = open(script)
      const { clock, happen, attempts, taken, sent, dropped, waiting } = hook
      for (const { count, ms } of offered) {
        happen(count)
        await pass(clock, ms)
      }
      await pass(clock, 3_600_000)
      const all = offered.reduce((sum, { count }) => sum + count, 0)
      expect(taken()).toEqual(taken().toSorted((a, b) => a - b))
      expect(new Set(taken()).size).toBe(sent.value)
      expect(taken()).toHaveLength(sent.value)
      expect(sent.value + dropped.total({ reason: 'refused' })).toBe(all)
      expect(waiting.value).toBe(0)
      for (const [i, next] of attempts.slice(1).entries()) {
        const last = attempts[i]
        if (last === undefined || last.id !== next.id) continue
        const { behaviour: met } = last
        const askedMs = typeof met === 'string' ? 0 : (met.retryAfterMs ?? 0)
        const waitedMs = next.startMs - last.endMs
        expect(waitedMs).toBeGreaterThanOrEqual(Math.max(500, askedMs))
        expect(waitedMs).toBeLessThanOrEqual(Math.max(60_000, askedMs) + 1)
      }
      await hook.webhook.close()
    }),
    { numRuns: 60 },
  )
})

test('a receiver that is away for long gets the newest thousand, and the others are counted', async () => {
  const away = Array.from({ length: 100 }, (): Behaviour => 'refuses')
  const { clock, webhook, happen, taken, dropped, waiting, lines } = open(away)
  happen(1_500)
  expect(waiting.value).toBe(1_000)
  await pass(clock, 1_000)
  happen(10)
  expect(dropped.total({ reason: 'overflow' })).toBe(509)
  await pass(clock, 100 * 60_000)
  // The one that was on its way keeps its turn.
  expect(taken()).toHaveLength(1_001)
  expect(taken().at(-1)).toBe(1_510)
  expect(lines).toEqual(['events dropped', 'events cannot be sent', 'events are sent again'])
  await webhook.close()
})

test('an event that the receiver calls malformed holds up the others for three attempts', async () => {
  const { clock, webhook, happen, taken, attempts, dropped } = open([
    { status: 422 },
    { status: 503 },
    { status: 422 },
    { status: 400 },
  ])
  happen(2)
  await pass(clock, 60_000)
  expect(attempts.map(({ id }) => id)).toEqual(['l1-1', 'l1-1', 'l1-1', 'l1-1', 'l1-2'])
  expect(taken()).toEqual([2])
  expect(dropped.total({ reason: 'refused' })).toBe(1)
  await webhook.close()
})

test('a receiver may not ask for more than an hour', async () => {
  const { clock, webhook, happen, attempts } = open([{ status: 503, retryAfterMs: 1e12 }])
  happen(1)
  await pass(clock, 3_599_999)
  expect(attempts).toHaveLength(1)
  await pass(clock, 1)
  expect(attempts).toHaveLength(2)
  await webhook.close()
})

test('only the types that are wanted are sent', async () => {
  const { clock, webhook, events, happen, sent } = open([], {
    ...SETTINGS,
    types: ['stream.failed'],
  })
  happen(3)
  events.emit('stream.failed', { code: 'internal', since: 'then' }, 'lobby')
  await pass(clock, 10)
  expect(sent.value).toBe(1)
  await webhook.close()
})

test('another receiver gets what the one before has not taken, at once', async () => {
  const { clock, webhook, happen, taken, attempts } = open(['refuses', 'refuses', 'refuses'])
  happen(2)
  await pass(clock, 5_000)
  const before = attempts.length
  webhook.configure({ ...SETTINGS, url: 'http://other.example/' })
  await pass(clock, 1)
  expect(attempts.length).toBeGreaterThan(before)
  expect(taken()).toEqual([1, 2])
  await webhook.close()
})

test('without a receiver nothing waits, and what waited is counted', async () => {
  const { clock, webhook, happen, attempts, dropped, waiting } = open(
    Array.from({ length: 9 }, (): Behaviour => 'hangs'),
  )
  happen(3)
  await pass(clock, 1_000)
  webhook.configure(undefined)
  expect(dropped.total({ reason: 'unconfigured' })).toBe(3)
  happen(2)
  await pass(clock, 600_000)
  expect([attempts.length, waiting.value]).toEqual([1, 0])
  await webhook.close()
})

test('at the end what waits is tried once more without delay', async () => {
  const { clock, webhook, happen, taken, dropped } = open(['refuses', 'refuses', 'refuses'])
  happen(2)
  await pass(clock, 2_500)
  const closed = webhook.close()
  await pass(clock, 2_000)
  await closed
  expect(taken()).toEqual([1, 2])
  expect(dropped.total()).toBe(0)
})

test('at the end nobody is waited for longer than two seconds', async () => {
  const { clock, webhook, happen, dropped } = open(['hangs'])
  happen(2)
  await pass(clock, 100)
  const closedMs = clock.now()
  const closed = webhook.close()
  await pass(clock, 2_000)
  await closed
  expect(clock.now() - closedMs).toBe(2_000)
  expect(dropped.total({ reason: 'shutdown' })).toBe(2)
  happen(1)
  expect(dropped.total()).toBe(2)
})
