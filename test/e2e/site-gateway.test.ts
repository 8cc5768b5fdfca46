import { expect, test } from 'vitest'
import { during } from '../support/pace.ts'
import { cameraOf } from '../support/world.ts'
import { startChain } from './support/site.ts'
import { stateDir } from './support/state-dir.ts'

const dir = stateDir()

const CAMERA = { lobby: { clip: 'av-360p' } } as const
const SEAMLESS = { warnings: [], gaps: [], runs: 1 }

test('G2: behind a site gateway, roll-overs of the central one leave no trace', async () => {
  await using chain = await startChain({ cameras: CAMERA })
  const { site, central } = chain
  await site.pass(20_000)
  await during(site.clock, central.admin.order('lobby', 'rollover'))
  await site.pass(20_000)

  const verdict = await site.verdict()
  expect(verdict).toMatchObject({
    faults: [],
    discontinuities: 0,
    missed: 0,
    decoded: { video: SEAMLESS, audio: SEAMLESS },
  })
  expect(verdict.segments).toBeGreaterThan(10)
})

test('a line that is cut for less than the central window costs nothing', async () => {
  await using chain = await startChain({ cameras: CAMERA, defaults: { window: 40 } })
  const { site, link } = chain
  await site.pass(45_000)
  link.cut()
  await site.pass(20_000)
  expect((await site.admin.stream('lobby')).state).toBe('stale')
  link.mend()
  await site.pass(15_000)

  const verdict = await site.verdict()
  expect(verdict).toMatchObject({ discontinuities: 0, decoded: { video: SEAMLESS } })
  expect((await site.admin.stream('lobby')).state).toBe('live')
})

test('G11: a longer cut is one discontinuity', async () => {
  // Otherwise it would stop meanwhile, as nobody asks.
  await using chain = await startChain({ cameras: CAMERA, defaults: { idleTimeout: '5m' } })
  const { site, link } = chain
  await site.pass(20_000)
  link.cut()
  await site.pass(60_000)
  expect((await site.admin.stream('lobby')).state).toBe('offline')
  link.mend()
  await site.pass(15_000)

  const verdict = await site.verdict()
  expect(verdict).toMatchObject({
    discontinuities: 1,
    decoded: { video: { warnings: [], gaps: [] } },
  })
  expect((await site.admin.stream('lobby')).state).toBe('live')
})

test.each([
  { what: 'with a state directory', keeps: true },
  { what: 'without one', keeps: false },
])('G1: a restart of the central gateway $what does not show at the site', async ({ keeps }) => {
  await using chain = await startChain({ cameras: CAMERA, cache: keeps ? { dir: dir() } : {} })
  const { site, central } = chain
  await site.pass(20_000)
  await during(site.clock, central.stopGateway())
  await site.pass(2_000)
  await central.startGateway()
  await site.pass(20_000)

  const verdict = await site.verdict()
  expect(verdict).toMatchObject({ faults: [], discontinuities: 0, missed: 0 })
  expect(verdict.decoded).toMatchObject({ video: SEAMLESS, audio: SEAMLESS })
})

test('G11: a camera that was away is one discontinuity here too', async () => {
  await using chain = await startChain({ cameras: CAMERA })
  const { site, central } = chain
  await site.pass(20_000)
  central.control.stopProducer(cameraOf())
  await site.pass(45_000)
  expect(await site.admin.stream('lobby')).toMatchObject({ state: 'offline' })
  central.control.resumeProducer(cameraOf())
  await site.pass(20_000)

  expect(await site.admin.stream('lobby')).toMatchObject({ state: 'live', reason: null })
  const verdict = await site.verdict()
  expect(verdict).toMatchObject({ faults: [], discontinuities: 1 })
  expect(verdict.decoded).toMatchObject({ video: { warnings: [] }, audio: { warnings: [] } })
})

test('G10: a site that nobody watches leaves the central gateway alone', async () => {
  await using chain = await startChain({ cameras: CAMERA })
  const { site, central } = chain
  await site.pass(20_000)
  site.watching = false
  await site.pass(150_000)
  expect(await site.admin.stream('lobby')).toMatchObject({ state: 'idle', session: null })
  expect(await central.admin.stream('lobby')).toMatchObject({ state: 'idle' })
  site.watching = true
  await site.pass(20_000)
  expect(await site.admin.stream('lobby')).toMatchObject({ state: 'live' })
  expect(site.report()).toMatchObject({ faults: [] })
})

test('an operator sees a session without an end, and no charges', async () => {
  await using chain = await startChain({ cameras: CAMERA })
  await chain.site.pass(10_000)
  expect(await chain.site.admin.stream('lobby')).toMatchObject({
    state: 'live',
    session: { expiresAt: null, rollovers: 0 },
    quota: null,
    spentUsd: 0,
    savedUsd: 0,
  })
})

test('a central gateway that has no media says so in its own words', async () => {
  await using chain = await startChain({ cameras: CAMERA })
  const { site, central } = chain
  central.control.stopProducer(cameraOf())
  await site.pass(40_000)
  expect(await site.admin.stream('lobby')).toMatchObject({ state: 'offline', reason: 'no_media' })
})
