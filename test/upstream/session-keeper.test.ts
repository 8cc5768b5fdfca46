import { setImmediate as nextTurn } from 'node:timers/promises'
import fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import { GatewayError } from '../../src/base/errors.ts'
import type { KeeperEvent } from '../../src/upstream/keeper-event.ts'
import { SessionDeadError } from '../../src/upstream/session-dead-error.ts'
import { SessionKeeper } from '../../src/upstream/session-keeper.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { IdleSession } from './support/idle-session.ts'
import { failure } from './support/outcome.ts'

const EXPIRES_MS = 300_000
const never = new AbortController().signal
const noMedia = new GatewayError('no_media', 'The camera has sent nothing lately.')

let clock: ManualClock
let opened: IdleSession[]
let events: string[]
/** What the next attempts to open meet; undefined or absent: a session. */
let failures: (Error | undefined)[]
let keeper: SessionKeeper

function open(): Promise<IdleSession> {
  const failure = failures.shift()
  if (failure !== undefined) return Promise.reject(failure)
  const session = new IdleSession(opened.length + 1, clock.now(), EXPIRES_MS)
  opened.push(session)
  return Promise.resolve(session)
}

function describeEvent(event: KeeperEvent): string {
  switch (event.kind) {
    case 'opened':
      return `opened ${event.session.id}`
    case 'rolled_over':
      return `rolled_over ${event.session.id} ${event.cause}`
    case 'lost':
    case 'released':
      return `${event.kind} ${event.session.id}`
    case 'failed':
    case 'renewal_failed':
      return `${event.kind} ${event.failure.code}`
  }
}

beforeEach(() => {
  clock = new ManualClock()
  opened = []
  events = []
  failures = []
  keeper = new SessionKeeper({
    clock,
    random: () => 0.5,
    open,
    windowMs: () => 10_000,
    onEvent: (event) => events.push(describeEvent(event)),
  })
})

/** Polls until renewal has brought a second session. */
async function renewal(): Promise<IdleSession> {
  keeper.renewal()
  await nextTurn()
  const next = keeper.renewal()
  if (!(next instanceof IdleSession)) throw new Error('no renewal')
  return next
}

test('the first who asks opens a session, all others share it', async () => {
  const sessions = await Promise.all([keeper.current(never), keeper.current(never)])

  expect(opened).toHaveLength(1)
  expect(sessions).toEqual([opened[0], opened[0]])
  expect(await keeper.current(never)).toBe(opened[0])
  expect(keeper.status()).toEqual({
    openedAtMs: clock.now(),
    expiresAtMs: clock.now() + EXPIRES_MS,
    rollovers: 0,
  })
})

test('G10: without a caller nothing is opened or renewed', async () => {
  await keeper.current(never)
  clock.advance(EXPIRES_MS * 10)
  await nextTurn()
  expect(opened).toHaveLength(1)
})

test('one who leaves does not stop the opening for the rest; the last one does', async () => {
  const { promise: held, resolve } = Promise.withResolvers<IdleSession>()
  const signals: AbortSignal[] = []
  keeper = new SessionKeeper({
    clock,
    random: () => 0,
    windowMs: () => 0,
    open: (signal) => {
      signals.push(signal)
      return held
    },
  })
  const first = new AbortController()
  const leaving = failure(keeper.current(first.signal))
  const staying = keeper.current(never)
  first.abort(new Error('left'))
  expect(await leaving).toMatchObject({ message: 'left' })
  expect(signals[0]?.aborted).toBe(false)

  resolve(new IdleSession(1, 0, 1e15))
  await staying

  keeper.release()
  const last = new AbortController()
  const alone = failure(keeper.current(last.signal))
  last.abort(new Error('left too'))
  await alone
  expect(signals.at(-1)?.aborted).toBe(true)
})

test('a session that is let go of is told, once', async () => {
  await keeper.current(never)
  keeper.release()
  keeper.release()
  keeper.close()
  expect(events).toEqual(['opened 1', 'released 1'])
})

describe('renewal', () => {
  test('is due at 80 % of a short session, a little earlier by chance', async () => {
    await keeper.current(never)
    // The lead is 60 s, and half of the half of it that is left to chance.
    clock.advance(300_000 - 75_000 - 1)
    keeper.renewal()
    expect(keeper.state.kind).toBe('live')
    clock.advance(1)
    keeper.renewal()
    expect(keeper.state.kind).toBe('renewing')
  })

  test('G3: the old session stays in use until the new one is proved', async () => {
    await keeper.current(never)
    clock.advance(230_000)
    const next = await renewal()
    expect(await keeper.current(never)).toBe(opened[0])
    expect(keeper.openSessions).toBe(2)

    keeper.promote(next)
    expect(await keeper.current(never)).toBe(next)
    expect(opened[0]?.state).toBe('retired')
    expect(keeper.openSessions).toBe(1)
    expect(keeper.status()?.rollovers).toBe(1)
    expect(events).toEqual(['opened 1', 'opened 2', 'rolled_over 2 schedule'])
  })

  test('that is not proved leaves the old session in use and is tried again later', async () => {
    await keeper.current(never)
    clock.advance(230_000)
    const next = await renewal()
    keeper.reject(next, new GatewayError('upstream_unavailable', 'no overlap'))
    expect(next.state).toBe('closed')
    expect(await keeper.current(never)).toBe(opened[0])

    keeper.renewal()
    expect(keeper.state.kind).toBe('live')
    clock.advance(1000)
    expect((await renewal()).id).toBe(3)
  })

  test('that fails is tried again with growing waits until the old session expires', async () => {
    await keeper.current(never)
    failures = Array.from({ length: 100 }, () => new GatewayError('upstream_throttled', ''))
    clock.advance(225_000)
    for (let second = 0; second < 74; second += 1) {
      keeper.renewal()
      await nextTurn()
      clock.advance(1000)
    }
    const attempts = events.filter((event) => event === 'renewal_failed upstream_throttled').length
    expect(attempts).toBeGreaterThanOrEqual(4)
    expect(attempts).toBeLessThanOrEqual(8)
    expect(await keeper.current(never)).toBe(opened[0])
  })

  test('follows an operator’s wish at once', async () => {
    await keeper.current(never)
    keeper.requestRollover()
    keeper.promote(await renewal())
    expect(events.at(-1)).toBe('rolled_over 2 api')

    keeper.renewal()
    expect(keeper.state.kind).toBe('live')
  })

  test('comes before codec private data changes more often than KVS bears', async () => {
    await keeper.current(never)
    const [first] = opened
    if (first === undefined) throw new Error('nothing was opened')
    first.codecChanges = 399
    keeper.renewal()
    expect(keeper.state.kind).toBe('live')
    first.codecChanges = 400
    keeper.promote(await renewal())
    expect(events.at(-1)).toBe('rolled_over 2 codec')
  })

  test('takes over unproved when the old session dies first', async () => {
    await keeper.current(never)
    clock.advance(230_000)
    const next = await renewal()
    keeper.lost(await keeper.current(never), new SessionDeadError())

    expect(await keeper.current(never)).toBe(next)
    expect(opened[0]?.state).toBe('closed')
    expect(events.slice(-2)).toEqual(['lost 1', 'rolled_over 2 lost'])
  })

  test('that dies itself is no loss', async () => {
    await keeper.current(never)
    clock.advance(230_000)
    keeper.lost(await renewal(), new SessionDeadError())
    expect(await keeper.current(never)).toBe(opened[0])
    expect(events.at(-1)).toBe('renewal_failed upstream_unavailable')
  })

  test('that arrives after the old session was lost is not kept', async () => {
    const session = await keeper.current(never)
    clock.advance(230_000)
    keeper.renewal()
    keeper.lost(session, new SessionDeadError())
    await nextTurn()
    expect(opened[1]?.state).toBe('closed')
    expect(keeper.openSessions).toBe(0)
  })
})

describe('a lost session', () => {
  test('G3: is followed by a new one at once', async () => {
    const session = await keeper.current(never)
    keeper.lost(session, new SessionDeadError())
    expect((await keeper.current(never)).id).toBe(2)
    expect(events).toEqual(['opened 1', 'lost 1', 'opened 2', 'rolled_over 2 lost'])
  })

  test('is told from one that was replaced long ago', async () => {
    const session = await keeper.current(never)
    keeper.requestRollover()
    keeper.promote(await renewal())
    keeper.lost(session, new SessionDeadError())
    expect(await keeper.current(never)).toBe(opened[1])
  })

  test('slows the next down when sessions die before anything of them was published', async () => {
    for (let death = 0; death < 2; death += 1) {
      keeper.lost(await keeper.current(never), new SessionDeadError())
    }
    expect(await failure(keeper.current(never))).toMatchObject({ code: 'upstream_unavailable' })
    expect(opened).toHaveLength(2)
    clock.advance(500)
    expect((await keeper.current(never)).id).toBe(3)
  })

  test('does not when they had: sessions revoked at random cost no waiting', async () => {
    for (let death = 0; death < 20; death += 1) {
      const session = await keeper.current(never)
      keeper.delivered()
      keeper.lost(session, new SessionDeadError())
    }
    expect(opened).toHaveLength(20)
  })

  test('expires by the clock too, whether or not upstream said so', async () => {
    await keeper.current(never)
    clock.advance(EXPIRES_MS)
    expect((await keeper.current(never)).id).toBe(2)
  })
})

describe('failing to open', () => {
  test('is told at once until the next attempt is due, with waits of up to a second while there is no media', async () => {
    failures = Array.from({ length: 8 }, () => noMedia)
    const waits: number[] = []
    for (let attempt = 0; attempt < 8; attempt += 1) {
      const error = await failure(keeper.current(never))
      if (!(error instanceof GatewayError)) throw new Error('not a gateway error')
      expect(error.code).toBe('no_media')
      waits.push(error.retryAfterMs ?? 0)
      clock.advance((error.retryAfterMs ?? 0) - 1)
      expect(await failure(keeper.current(never))).toMatchObject({ retryAfterMs: 1 })
      clock.advance(1)
    }
    expect(waits).toEqual([750, 750, 750, 750, 750, 750, 750, 750])
    expect((await keeper.current(never)).id).toBe(1)
    expect(events.at(-1)).toBe('opened 1')
  })

  test('keeps its waits when sessions of a silent camera open and die', async () => {
    for (let death = 0; death < 4; death += 1) {
      keeper.lost(await keeper.current(never), noMedia)
      const error = await failure(keeper.current(never))
      if (error instanceof GatewayError) clock.advance(error.retryAfterMs ?? 0)
    }
    const start = clock.now()
    keeper.lost(await keeper.current(never), noMedia)
    const error = await failure(keeper.current(never))
    expect(error).toMatchObject({ code: 'no_media', retryAfterMs: 750 })
    expect(clock.now() - start).toBe(0)
  })

  test('outlives a release, so that impatient viewers do not shorten it', async () => {
    failures = [noMedia]
    await failure(keeper.current(never))
    keeper.release()
    expect(await failure(keeper.current(never))).toMatchObject({ code: 'no_media' })
    expect(failures).toHaveLength(0)
  })
})

test('a release closes both sessions, and the stream can start again', async () => {
  await keeper.current(never)
  clock.advance(230_000)
  await renewal()
  keeper.release()
  expect(opened.map(({ state }) => state)).toEqual(['closed', 'closed'])
  expect(keeper.status()).toBeNull()
  expect((await keeper.current(never)).id).toBe(3)
})

test('who asks during a release gets a session of the next attempt', async () => {
  const asking = failure(keeper.current(never))
  keeper.release()
  expect((await keeper.current(never)).id).toBe(2)
  expect(await asking).toBeInstanceOf(SessionDeadError)
  expect(opened[0]?.state).toBe('closed')
})

test('a closed keeper opens nothing more', async () => {
  await keeper.current(never)
  keeper.close()
  keeper.requestRollover()
  expect(keeper.renewal()).toBeUndefined()
  expect(await failure(keeper.current(never))).toBeInstanceOf(SessionDeadError)
  expect(opened.map(({ state }) => state)).toEqual(['closed'])
})

type Act =
  | 'poll'
  | 'wait'
  | 'long wait'
  | 'lose'
  | 'lose next'
  | 'promote'
  | 'reject'
  | 'api'
  | 'fail'
  | 'release'

test('G3: whatever happens, never more than two sessions are open, and status tells the truth', async () => {
  const acts = fc.array(
    fc.constantFrom<Act>(
      'poll',
      'wait',
      'long wait',
      'lose',
      'lose next',
      'promote',
      'reject',
      'api',
      'fail',
      'release',
    ),
    { maxLength: 60 },
  )
  await fc.assert(
    fc.asyncProperty(acts, async (history) => {
      opened = []
      failures = []
      keeper = new SessionKeeper({ clock, random: () => 0, open, windowMs: () => 10_000 })
      for (const act of history) {
        await perform(act)
        const alive = opened.filter(({ state }) => state === 'open').length
        expect(alive).toBeLessThanOrEqual(2)
        expect(alive).toBe(keeper.openSessions)
        expect(keeper.status() === null).toBe(alive === 0)
      }
    }),
    { numRuns: 100 },
  )
})

async function perform(act: Act): Promise<void> {
  const current = await keeper.current(never).catch(() => undefined)
  const next = keeper.renewal()
  switch (act) {
    case 'poll':
      break
    case 'wait':
      clock.advance(1000)
      break
    case 'long wait':
      clock.advance(240_000)
      break
    case 'lose':
      if (current !== undefined) keeper.lost(current, new SessionDeadError())
      break
    case 'lose next':
      if (next !== undefined) keeper.lost(next, noMedia)
      break
    case 'promote':
      if (next !== undefined) keeper.promote(next)
      break
    case 'reject':
      if (next !== undefined) keeper.reject(next, noMedia)
      break
    case 'api':
      keeper.requestRollover()
      break
    case 'fail':
      failures.push(noMedia)
      break
    case 'release':
      keeper.release()
      break
  }
  await nextTurn()
}
