import { expect, test } from 'vitest'
import { seededRandom } from '../proof/seeded-random.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { Excuses } from './excuses.ts'
import { TroubleMaker } from './trouble-maker.ts'
import { chooseTrouble, TROUBLES, type Victim } from './troubles.ts'

interface Suffering {
  readonly maker: TroubleMaker
  readonly suffered: string[]
  readonly excuses: Excuses
  readonly clock: ManualClock
}

/** An hour of trouble for one stream. */
async function suffer(seed: number, revokeSessions = async () => {}): Promise<Suffering> {
  const clock = new ManualClock()
  const stop = new AbortController()
  const excuses = new Excuses()
  const suffered: string[] = []
  const victim: Victim = {
    event: async ({ type }) => void suffered.push(type),
    fault: async ({ kind }) => void suffered.push(kind),
    clip: () => 'av-360p',
    clearFaults: async () => {},
    revokeSessions,
    rollOver: async () => {},
    force: async (source) => void suffered.push(source),
    sleep: (ms) => clock.sleep(ms, stop.signal),
  }
  const random = seededRandom(seed)
  const victims = new Map([['lobby', victim]])
  const { signal } = stop
  const log = (): void => {}
  const maker = new TroubleMaker({ clock, signal, random, excuses, victims, log })
  const running = maker.run()
  await clock.run(3_600_000, { stepMs: 4_000, realMsPerStep: 0 })
  stop.abort()
  await running
  return { maker, suffered, excuses, clock }
}

test('a seed makes the same trouble again', async () => {
  const first = await suffer(3)
  const again = await suffer(3)

  expect(first.suffered.length).toBeGreaterThan(20)
  expect(again.suffered).toEqual(first.suffered)
  expect(first.maker.failures).toEqual([])
})

test('whoever stops a camera starts it again', async () => {
  const { suffered } = await suffer(5)
  const switched = suffered.filter((what) => what === 'stop' || what === 'resume')

  expect(switched.length).toBeGreaterThan(1)
  expect(switched.every((what, i) => what === (i % 2 === 0 ? 'stop' : 'resume'))).toBe(true)
  const forced = suffered.filter((what) => ['backup', 'camera', 'auto'].includes(what))
  expect(forced).toContain('backup')
  expect(forced.at(-1)).toBe('auto')
})

test('trouble that could not be made is told', async () => {
  const { maker } = await suffer(1, () => Promise.reject(new Error('no such camera')))

  expect(maker.failures).toContain('sessions revoked on lobby: Error: no such camera')
})

test('every trouble is chosen sooner or later', () => {
  const random = seededRandom(1)
  const all = (victim: Pick<Victim, 'force'>): string[] => {
    const chosen = Array.from({ length: 2_000 }, () => chooseTrouble(random, victim).name)
    return [...new Set(chosen)].sort()
  }
  const names = TROUBLES.map(({ name }) => name).sort()

  expect(all({ force: async () => {} })).toEqual(names)
  expect(all({})).toEqual(names.filter((name) => name !== 'backup by API'))
})
