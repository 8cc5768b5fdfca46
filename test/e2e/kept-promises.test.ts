import { expect, test } from 'vitest'
import type { FaultInput } from '../../src/emulator/service/fault.ts'
import { during } from '../support/pace.ts'
import { cameraOf } from '../support/world.ts'
import { contentOf, type ShownSegment, shown } from './support/shown.ts'
import { discontinuities, restart, type Stage, startStage } from './support/stage.ts'
import { stateDir } from './support/state-dir.ts'

const dir = stateDir()

test('G5: a fragment longer than any foreseen changes no target duration, nor does a restart', async () => {
  // They were a second long, and now last up to 4 s.
  const lobby = { clip: 'av-360p' } as const
  const kvs = { fragmentResults: 1 }
  await using stage = await startStage({
    cameras: { lobby },
    defaults: { window: 1, kvs },
    cache: { dir: dir() },
  })
  await stage.pass(5_000)
  stage.world.control.order(cameraOf(), { type: 'clip', clip: 'av-360p-irregular' })
  const warned = (): number =>
    stage.world.lines.filter(({ event }) => event === 'fragment longer than the target duration')
      .length
  await stage.pass(20_000)
  const before = warned()
  expect(before).toBeGreaterThanOrEqual(3)
  await restart(stage, { defaults: { window: 6, minTargetDuration: '9s', kvs } })
  await stage.pass(10_000)

  expect(Object.keys(stage.report().counts)).toEqual(['target-duration-exceeded'])
  expect(warned()).toBeGreaterThan(before)
  expect(await metric(stage, 'overlong_fragments_total')).toBeGreaterThan(0)
})

test.each([0, 4_000, 5_200, 8_900, 12_900])(
  'G5: the target duration has room for all of the first list, whichever fragment comes first (%d)',
  async (offsetMs) => {
    const anchorMs = Date.UTC(2026, 0, 1) - 60_000 - offsetMs
    const lobby = { clip: 'av-360p-irregular', anchorMs } as const
    await using stage = await startStage({ cameras: { lobby } })
    await stage.pass(10_000)
    expect(stage.report()).toMatchObject({ faults: [] })
  },
)

async function metric({ clock, world }: Stage, name: string): Promise<number> {
  const response = await during(clock, fetch(`${world.gateway.adminUrl}/metrics`))
  const lines = (await response.text()).split('\n')
  const line = lines.find((each) => each.startsWith(`kvs_gateway_${name}{stream="lobby"}`))
  return Number(line?.split(' ').at(-1))
}

test('G6: what has left the list is there for its duration and a window more, and gone later', async () => {
  await using stage = await startStage({ cameras: { lobby: { clip: 'av-360p' } } })
  await stage.pass(20_000)
  const [oldest] = await listed(stage)
  if (oldest === undefined) throw new Error('nothing is listed')
  while ((await listed(stage)).some(({ url }) => url === oldest.url)) await stage.pass(100)

  const windowMs = 6_000
  await stage.pass(windowMs + 1_000)
  const content = await during(stage.clock, contentOf(oldest.url))
  expect(oldest.content).toContain(content)
  await stage.pass(60_000)
  expect(await during(stage.clock, contentOf(oldest.url))).toBe('404')
})

test('G6: what is listed when a camera falls silent stays fetchable until it returns', async () => {
  await using stage = await startStage({ cameras: { lobby: { clip: 'av-360p' } } })
  await stage.pass(20_000)
  stage.world.control.stopProducer(cameraOf())
  await stage.pass(1_000)
  const before = await listed(stage)
  await stage.pass(300_000)
  expect(await listed(stage)).toEqual(before)
  expect(before.length).toBeGreaterThanOrEqual(12)
})

function listed({ clock, world }: Stage): Promise<readonly ShownSegment[]> {
  return during(clock, shown(world.watchUrl()))
}

const AUDIO_LATE: readonly [string, FaultInput][] = [
  ['answers late', { kind: 'latency', ms: 1_200 }],
  ['fails for seconds', { kind: 'status', status: 503, times: 9 }],
  ['fails now and then', { kind: 'reset', probability: 0.3 }],
]

test.each(AUDIO_LATE)(
  'G7: audio whose playlist %s keeps in step, and nothing is lost',
  async (_what, fault) => {
    await using stage = await startStage({ cameras: { lobby: { clip: 'av-360p' } } })
    await stage.pass(12_000)
    stage.world.control.addFault(cameraOf(), {
      operation: 'GetHLSMediaPlaylist',
      track: 2,
      ...fault,
    })
    await stage.pass(6_000)
    await stage.rollOver()
    await stage.pass(15_000)
    stage.world.control.clearFaults(cameraOf())
    await stage.pass(10_000)
    const whole = { warnings: [], gaps: [], runs: 1 }
    const decoded = { video: whole, audio: whole }
    expect(await stage.verdict()).toMatchObject({ faults: [], missed: 0, decoded })
  },
)

test('G7: where one fragment’s audio cannot be had, its place is kept by a gap, and the picture goes on', async () => {
  await using stage = await startStage({ cameras: { lobby: { clip: 'av-360p' } } })
  await stage.pass(12_000)
  const gone = { kind: 'status', status: 404, type: 'ResourceNotFoundException' } as const
  const fragment = { operation: 'GetMP4MediaFragment', track: 2, times: 1 } as const
  stage.world.control.addFault(cameraOf(), { ...gone, ...fragment })
  await stage.pass(20_000)
  expect(discontinuities(stage)).toEqual([])
  expect(await stage.verdict()).toMatchObject({ faults: [], discontinuities: 0, missed: 0 })
})
