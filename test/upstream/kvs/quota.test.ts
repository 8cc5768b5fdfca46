import { setImmediate as nextTurn } from 'node:timers/promises'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { LocalStreamQuota, type SessionRequest } from '../../../src/upstream/kvs/quota.ts'
import { StreamQuotas } from '../../../src/upstream/kvs/stream-quotas.ts'
import type { EndTurn, Priority } from '../../../src/upstream/quota-queue.ts'
import { quotaContract } from '../../contract/quota.ts'
import { ManualClock } from '../../support/manual-clock.ts'

const never = new AbortController().signal

/** Lets granted takers run. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn += 1) await nextTurn()
}

interface Sent {
  readonly what: string
  readonly atMs: number
  readonly points: number
}

/** The most weight in any second that starts with one of the sent. */
function peak(sent: readonly Sent[], weight: (sent: Sent) => number): number {
  return Math.max(
    0,
    ...sent.map(({ atMs }) =>
      sent
        .filter((other) => other.atMs >= atMs && other.atMs < atMs + 1000)
        .reduce((sum, other) => sum + weight(other), 0),
    ),
  )
}

const burst = fc.record({
  /** How long upstream takes to answer; it counts the request in the middle of that. */
  answerMs: fc.nat(600),
  size: fc.integer({ min: 1, max: 30 }),
  pauseMs: fc.oneof(fc.constant(0), fc.nat(400)),
  session: fc.nat(2),
  kind: fc.constantFrom<SessionRequest>('master', 'playlist', 'init', 'fragment', 'tsFragment'),
  priority: fc.constantFrom<Priority>('live', 'refetch', 'archive'),
})

test('G9: no arrival pattern brings a second over the quotas of KVS', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(burst, { minLength: 5, maxLength: 40 }), async (bursts) => {
      const clock = new ManualClock(0)
      const quota = new LocalStreamQuota(clock)
      const sessions = [10, 1000, 2000].map((results) => ({
        results,
        quota: quota.session(results),
      }))
      const sent: Sent[] = []
      let open = 0
      for (const { size, pauseMs, answerMs, session, kind, priority } of bursts) {
        clock.advance(pauseMs)
        const target = sessions[session]
        if (target === undefined) throw new Error('no such session')
        const points = kind === 'playlist' ? target.results : 0
        open += size
        for (let i = 0; i < size; i += 1) {
          const ended = (): void => {
            open -= 1
          }
          void target.quota
            .take(kind, never, priority)
            .then(async (endTurn) => {
              await clock.sleep(answerMs / 2)
              sent.push({ what: `${kind} ${session}`, atMs: clock.now(), points })
              await clock.sleep(answerMs / 2)
              endTurn()
            })
            // The queue is bounded: what it turns away is not sent.
            .then(ended, ended)
        }
        await settle()
      }
      while (open > 0) {
        clock.advance(100)
        await settle()
      }

      for (const session of [0, 1, 2]) {
        for (const [kind, limit] of [
          ['master', 5],
          ['playlist', 5],
          ['init', 5],
          ['fragment', 20],
          ['tsFragment', 20],
        ] as const) {
          expect(
            peak(sent, ({ what }) => (what === `${kind} ${session}` ? 1 : 0)),
          ).toBeLessThanOrEqual(limit)
        }
      }
      expect(peak(sent, ({ points }) => points)).toBeLessThanOrEqual(5000)
      expect(
        peak(sent, ({ what }) => (/^(fragment|tsFragment)/.test(what) ? 1 : 0)),
      ).toBeLessThanOrEqual(250)
    }),
    { numRuns: 25 },
  )
})

test('G9: creations and endpoint questions are counted over all sessions of the stream', async () => {
  const clock = new ManualClock(0)
  const quota = new LocalStreamQuota(clock)
  const sent: Sent[] = []
  const take = (what: string, turn: Promise<EndTurn>): void => {
    void turn.then((endTurn) => {
      sent.push({ what, atMs: clock.now(), points: 0 })
      endTurn()
    })
  }
  for (let i = 0; i < 60; i += 1) take('create', quota.take('create', never))
  for (let i = 0; i < 20; i += 1) take('endpoint', quota.take('dataEndpoint', never))
  for (let step = 0; step < 60; step += 1) {
    await settle()
    clock.advance(100)
  }

  expect(sent).toHaveLength(80)
  expect(peak(sent, ({ what }) => (what === 'create' ? 1 : 0))).toBe(25)
  expect(peak(sent, ({ what }) => (what === 'endpoint' ? 1 : 0))).toBe(5)
})

test('G9: live overtakes everything that waits, and finds room behind a burst of the rest', async () => {
  const clock = new ManualClock(0)
  const session = new LocalStreamQuota(clock).session(10)
  const order: string[] = []
  const ask = (priority: Priority): void => {
    void session.take('fragment', never, priority).then((endTurn) => {
      order.push(priority)
      endTurn()
    })
  }
  for (let i = 0; i < 30; i += 1) ask('archive')
  ask('refetch')
  await settle()
  expect(order).toEqual(Array<string>(15).fill('archive'))

  ask('live')
  await settle()
  expect(order.at(-1)).toBe('live')

  clock.advance(1100)
  await settle()
  expect(order[16]).toBe('refetch')
})

test('the share of points is what the ratio is measured against', async () => {
  const clock = new ManualClock(0)
  const quota = new LocalStreamQuota(clock, 0.1)
  const session = quota.session(500)
  await session.take('playlist', never)
  await session.take('fragment', never)

  expect(quota.usedRatio('metadata')).toBe(0.5)
  expect(quota.usedRatio('media')).toBe(1 / 50)
  await expect(quota.session(1001).take('playlist', never)).rejects.toThrow(RangeError)
})

test('G9: all who read one KVS stream share its quota, by name or by ARN', () => {
  const quotas = new StreamQuotas({ clock: new ManualClock(0), region: 'us-west-2' })
  const lobby = quotas.of({ streamName: 'lobby-camera' })
  const arn = 'arn:aws:kinesisvideo:us-west-2:123456789012:stream/lobby-camera/1700000000000'

  expect(quotas.of({ streamArn: arn })).toBe(lobby)
  expect(quotas.of({ streamName: 'yard-camera' })).not.toBe(lobby)
})

test('G9: namesakes in other regions and accounts have quotas of their own', () => {
  const quotas = new StreamQuotas({ clock: new ManualClock(0), region: 'us-west-2' })
  const streamName = 'lobby-camera'
  const lobby = quotas.of({ streamName })
  const roleArn = (account: string): string => `arn:aws:iam::${account}:role/viewer`
  const partner = quotas.of({ streamName, roleArn: roleArn('210987654321') })

  expect(quotas.of({ streamName, region: 'us-west-2' })).toBe(lobby)
  expect(quotas.of({ streamName, region: 'eu-west-1' })).not.toBe(lobby)
  expect(partner).not.toBe(lobby)
  expect(quotas.of({ streamName, roleArn: roleArn('210987654321'), externalId: 'x7' })).toBe(
    partner,
  )
  expect(quotas.of({ streamName, roleArn: roleArn('111111111111') })).not.toBe(partner)
})

test('a quota lives as long as its readers', () => {
  const quotas = new StreamQuotas({ clock: new ManualClock(0) })
  const stream = { streamName: 'lobby-camera' }
  const first = quotas.of(stream)
  expect(quotas.of(stream)).toBe(first)
  quotas.release(stream)
  expect(quotas.of(stream)).toBe(first)
  quotas.release(stream)
  quotas.release(stream)
  quotas.release(stream)
  expect(quotas.of(stream)).not.toBe(first)
})

test('an answer lets the next ones go a second later, and not before', async () => {
  const clock = new ManualClock(0)
  const session = new LocalStreamQuota(clock).session(10)
  const turns = await Promise.all([1, 2, 3, 4, 5].map(() => session.take('playlist', never)))
  let granted = false
  void session.take('playlist', never).then(() => {
    granted = true
  })
  clock.advance(60_000)
  await settle()
  for (const endTurn of turns) endTurn()
  clock.advance(1000)
  await settle()
  expect(granted).toBe(false)
  clock.advance(20)
  await settle()
  expect(granted).toBe(true)
})

quotaContract('a stream’s sessions to be opened', (clock) => {
  const quota = new LocalStreamQuota(clock)
  return { limit: 25, take: (signal, priority) => quota.take('create', signal, priority) }
})

quotaContract('a session’s fragments', (clock) => {
  const session = new LocalStreamQuota(clock).session(10)
  return { limit: 20, take: (signal, priority) => session.take('fragment', signal, priority) }
})

quotaContract('a session’s playlists', (clock) => {
  const session = new LocalStreamQuota(clock).session(10)
  return { limit: 5, take: (signal, priority) => session.take('playlist', signal, priority) }
})
