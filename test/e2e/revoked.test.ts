import { expect, test } from 'vitest'
import { mostAtOnce } from '../proof/emulator-control.ts'
import { between, pick, seededRandom } from '../proof/seeded-random.ts'
import { type Incident, Viewer } from '../proof/viewer.ts'
import { during } from '../support/pace.ts'
import { cameraOf } from '../support/world.ts'
import { type Stage, startStage } from './support/stage.ts'

const FOR_MS = 720_000
/** Once upon a renewal, in the middle of one, and so far apart that sessions end by themselves. */
const PAUSES_MS = [
  { from: 0, to: 3_000 },
  { from: 10_000, to: 120_000 },
  { from: 120_000, to: 400_000 },
] as const

test('G3: twelve minutes of five-minute sessions, revoked at random: no viewer ever notices', async () => {
  await using stage = await startStage({ defaults: { kvs: { expires: '5m' } } })
  const { clock, world } = stage
  const incidents: Incident[] = []
  const end = new AbortController()
  const { signal } = end
  const onIncident = (it: Incident): void => void incidents.push(it)
  const viewer = new Viewer(world.watchUrl(), { clock, signal, onIncident })
  const watching = viewer.watch()

  const random = seededRandom(3)
  const endMs = clock.now() + FOR_MS
  while (clock.now() < endMs) {
    const { from, to } = pick(random, PAUSES_MS)
    await stage.pass(between(random, from, to))
    world.control.revoke(cameraOf())
  }

  expect(incidents).toEqual([])
  expect(viewer.counts.segments).toBeGreaterThan(2 * 350)
  expect(stage.report()).toMatchObject({ faults: [], discontinuities: 0, missed: 0 })
  expect(rollovers(stage, 'schedule')).toBeGreaterThanOrEqual(1)
  expect(rollovers(stage, 'lost')).toBeGreaterThanOrEqual(4)
  expect(mostAtOnce(world.control.counters().sessions)).toBeLessThanOrEqual(2)

  end.abort()
  await during(clock, watching)
})

function rollovers({ world }: Stage, cause: string): number {
  return world.lines.filter(
    ({ event, fields }) => event === 'session rolled over' && fields['cause'] === cause,
  ).length
}
