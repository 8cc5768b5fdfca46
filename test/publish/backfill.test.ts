import { beforeEach, expect, test } from 'vitest'
import { GatewayError } from '../../src/base/errors.ts'
import type { Log } from '../../src/base/log.ts'
import type { LiveStream } from '../../src/streams/live-stream.ts'
import { segmentsOf } from '../../src/timeline/segment-block.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { ScriptedCamera } from '../support/scripted-camera.ts'
import { openScripted, pass, type ScriptedStreamOptions } from '../support/scripted-stream.ts'

/** What the DVR list of a stream lacks, and KVS keeps. Everything is real but the sessions upstream. */
const HOUR_MS = 3_600_000

let clock: ManualClock
let camera: ScriptedCamera
let stream: LiveStream

beforeEach(async () => {
  clock = new ManualClock()
  camera = new ScriptedCamera(clock)
  camera.on()
  await pass(clock, 120_000)
})

async function start(options: Partial<ScriptedStreamOptions> = {}): Promise<void> {
  stream = await openScripted({ clock, camera, activation: 'always', dvrMs: HOUR_MS, ...options })
  stream.start()
  await pass(clock, 20_000)
}

/** FragmentNumbers of the newest edition, in list order. */
function listed(): readonly bigint[] {
  const list = stream.view.dvr?.at(-1)
  if (list === undefined) return []
  return [...list.blocks.flatMap((block) => segmentsOf(block)), ...list.tail].map(
    ({ number }) => number,
  )
}

/** All that the camera has sent since that fragment, but for the newest two, which may be on their way. */
const sentSince = (first: bigint | undefined): readonly bigint[] =>
  camera.numbers.slice(camera.numbers.indexOf(first ?? 0n), -2)

async function expectComplete(since: bigint | undefined): Promise<void> {
  const numbers = listed()
  expect(numbers.slice(0, sentSince(since).length)).toEqual(sentSince(since))
  await stream.close()
}

test('an outage of ours costs nothing of the past: what KVS got meanwhile is put into its place', async () => {
  await start()
  const first = listed()[0]
  camera.revoke()
  camera.failure = new GatewayError('upstream_unavailable', 'KVS is away')
  await pass(clock, 60_000)
  camera.failure = undefined
  await pass(clock, 180_000)
  await expectComplete(first)
})

test('what was recorded before the start is fetched if it is wanted, and not otherwise', async () => {
  await start({ fillsAll: true })
  await pass(clock, 60_000)
  expect(listed()[0]).toBe(camera.numbers[0])
  await expectComplete(camera.numbers[0])

  await start()
  await pass(clock, 60_000)
  expect(camera.numbers.indexOf(listed()[0] ?? 0n)).toBeGreaterThan(10)
  await stream.close()
})

test('nothing older than the list may be is asked for, nor what KVS keeps no longer', async () => {
  camera.keepsSinceMs = clock.now() - 40_000
  await start({ fillsAll: true, dvrMs: 100_000 })
  expect(listed()[0]).toBe(camera.numbers.find((_, i) => i >= 40))
  await expectComplete(listed()[0])
})

test('a look that fails is told once, and the next one finds what was missing', async () => {
  const told: string[] = []
  const note = (event: string): void => void told.push(event)
  const log: Log = { debug() {}, info: note, warn: note, error: note }
  const past = camera.past
  let refuses = true
  const list: typeof past.list = (...args) =>
    refuses
      ? Promise.reject(new GatewayError('upstream_not_authorized', 'no ListFragments'))
      : past.list(...args)
  Object.defineProperty(camera, 'past', { value: { ...past, list } })
  await start({ log })
  const first = listed()[0]
  camera.late(true)
  await pass(clock, 6_000)
  camera.late(false)
  await pass(clock, 180_000)
  expect(told.filter((event) => event === 'late fragments cannot be looked for')).toHaveLength(1)
  refuses = false
  await pass(clock, 120_000)
  expect(told).toContain('late fragments can be looked for again')
  await expectComplete(first)
})
