import { afterEach, expect, test } from 'vitest'
import { ManualClock } from '../support/manual-clock.ts'
import { during, pass, passUntil } from '../support/pace.ts'
import { startWorld, type World } from '../support/world.ts'
import { newestMsn, offers } from './support/listing.ts'

const HOUR_MS = 3_600_000

let clock: ManualClock
let world: World

afterEach(async () => {
  await during(clock, world.close())
})

/** The machine's date is set, as NTP or a host that wakes a virtual machine does; no time passes. */
test.each([
  ['back an hour', [-HOUR_MS]],
  ['forward an hour', [HOUR_MS]],
  ['back and forth', [-HOUR_MS, 2 * HOUR_MS, -HOUR_MS]],
])('the date is set %s: streams and idle timers do not notice', async (_what, steps) => {
  clock = new ManualClock()
  world = await startWorld({ clock, defaults: { dvr: '10m', idleTimeout: '30s' } })
  const url = world.watchUrl()
  let newest = await during(clock, newestMsn(url))
  for (const ms of steps) {
    clock.stepDate(ms)
    // Fragments last two seconds.
    await pass(clock, 6_000)
    const now = await during(clock, newestMsn(url))
    expect(now).toBeGreaterThanOrEqual(newest + 2)
    newest = now
    const status = await during(clock, world.admin.stream('lobby'))
    expect(status).toMatchObject({ state: 'live', reason: null, sessionsOpen: 1 })
  }
  expect((await during(clock, offers(url))).some(({ discontinuity }) => discontinuity)).toBe(false)
  const past = await during(clock, offers(url.replace('master', 'dvr')))
  expect(past.length).toBeGreaterThanOrEqual(2 * 3 * steps.length)
  await passUntil(clock, async () => (await world.admin.stream('lobby')).state === 'idle', 60_000)
})

test('a range of the last minute is found by the date that the machine has now', async () => {
  clock = new ManualClock()
  world = await startWorld({ clock })
  await during(clock, newestMsn(world.watchUrl()))
  // It was wrong by an hour, and is set right: from now on it is the emulator's.
  clock.stepDate(-HOUR_MS)
  await pass(clock, 60_000)
  clock.stepDate(HOUR_MS)
  const start = new Date(clock.date() - 40_000).toISOString()
  const end = new Date(clock.date() - 20_000).toISOString()
  const range = `${world.watchUrl()}?start=${start}&end=${end}`
  const listed = await during(clock, offers(range))
  expect(listed.length).toBeGreaterThan(8)
})
