import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { GatewayError } from '../../src/base/errors.ts'
import { GatewayCounters } from '../../src/metrics/gateway-counters.ts'
import type { LiveStream } from '../../src/streams/live-stream.ts'
import type { Segment } from '../../src/timeline/fragment.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { ScriptedCamera } from '../support/scripted-camera.ts'
import { openScripted, pass, type ScriptedStreamOptions } from '../support/scripted-stream.ts'

/** Histories of who is shown: the camera, its backup, a slate. Everything is real but the sessions upstream. */
let clock: ManualClock
let camera: ScriptedCamera
let backup: ScriptedCamera
let counters: GatewayCounters
let stream: LiveStream

beforeEach(async () => {
  clock = new ManualClock()
  camera = new ScriptedCamera(clock)
  backup = new ScriptedCamera(clock)
  counters = new GatewayCounters()
  camera.on()
  await pass(clock, 733)
  // Not quite on the other's clock, or nobody could see the seams.
  backup.on()
  await pass(clock, 30_000)
})
afterEach(() => stream.close())

async function start(options: Partial<ScriptedStreamOptions> = {}): Promise<void> {
  stream = await openScripted({ clock, camera, counters, activation: 'always', ...options })
  stream.start()
  await pass(clock, 20_000)
}

const tail = (): readonly Segment[] => stream.view.live?.tail ?? []

/** Whose segments follow each other, and why each new source begins as it does. */
function runs(segments: readonly Segment[]): readonly (readonly [string, string | undefined])[] {
  return segments.flatMap(({ source, discontinuity }, i) =>
    segments[i - 1]?.source === source ? [] : [[source, discontinuity] as const],
  )
}

/** Lets time pass, and gives all that was listed meanwhile, each once. */
async function listedWithin(ms: number): Promise<readonly Segment[]> {
  const seen = new Map<number, Segment>()
  for (let passed = 0; passed < ms; passed += 500) {
    for (const segment of tail()) seen.set(segment.msn, segment)
    await pass(clock, 500)
  }
  return [...seen.values()].toSorted((a, b) => a.msn - b.msn)
}

describe('G11, G10: a backup', () => {
  test('is asked for nothing while the camera delivers, nor once that is trusted again', async () => {
    await start({ backup })
    expect(backup.opened).toBe(0)
    camera.off()
    const away = await listedWithin(30_000)
    expect(runs(away)).toEqual([
      ['camera', undefined],
      ['backup', 'source'],
    ])
    expect(stream.view).toMatchObject({ state: 'live', source: 'backup' })
    camera.on()
    const back = await listedWithin(30_000)
    expect(runs(back)).toEqual([
      ['backup', undefined],
      ['camera', 'source'],
    ])
    const { opened } = backup
    expect(stream.sources.openSessions).toBe(1)
    await pass(clock, 60_000)
    expect(backup.opened).toBe(opened)
  })

  test('G1: takes over with the next number, and its dates do not go back', async () => {
    await start({ backup })
    camera.off()
    const segments = await listedWithin(30_000)
    expect(segments.map(({ msn }) => msn)).toEqual(
      segments.map((_, i) => (segments[0]?.msn ?? 0) + i),
    )
    for (const [i, { startMs }] of segments.entries()) {
      expect(startMs).toBeGreaterThanOrEqual(segments[i - 1]?.startMs ?? 0)
    }
  })

  test('stays while the camera comes and goes: a change is a seam for viewers', async () => {
    await start({ backup })
    camera.off()
    await pass(clock, 15_000)
    for (let i = 0; i < 5; i += 1) {
      camera.on()
      await pass(clock, 7_000)
      camera.off()
      await pass(clock, 10_000)
      expect(stream.view.source).toBe('backup')
    }
  })

  test('need not wait for a camera that says that nothing will come', async () => {
    await start({ backup })
    camera.revoke()
    camera.failure = new GatewayError('upstream_not_authorized', 'not allowed any more')
    await pass(clock, 3_500)
    expect(stream.view.source).toBe('backup')
    expect(stream.view).toMatchObject({ state: 'live', reason: null })
  })

  test('that an operator wants is shown, and the camera when he wants that', async () => {
    await start({ backup })
    stream.sources.force('backup')
    await pass(clock, 5_000)
    expect(stream.view.source).toBe('backup')
    expect(stream.sources.forced).toBe('backup')
    stream.sources.force('camera')
    await pass(clock, 5_000)
    expect(stream.view.source).toBe('camera')
    stream.sources.force(undefined)
    await pass(clock, 5_000)
    expect(stream.view.source).toBe('camera')
    expect(stream.sources.forced).toBeUndefined()
  })

  test('that is away, too, leaves the reason to the camera', async () => {
    await start({ backup })
    backup.off()
    camera.off()
    await pass(clock, 60_000)
    expect(stream.view).toMatchObject({ state: 'offline', reason: 'no_media' })
  })
})

describe('G11: a slate', () => {
  test('fills the time of a camera that is away, and hands back to it', async () => {
    await start({ onSignalLoss: 'slate' })
    camera.off()
    await pass(clock, 10_000)
    expect(stream.view).toMatchObject({ state: 'slate', source: 'slate', reason: null })
    const away = await listedWithin(40_000)
    expect(away.every(({ durationMs }) => durationMs <= 3_000)).toBe(true)
    camera.on()
    const back = await listedWithin(20_000)
    expect(runs(back)).toEqual([
      ['slate', undefined],
      ['camera', 'source'],
    ])
    const all = [...new Map([...away, ...back].map((each) => [each.msn, each])).values()]
    expect(all.map(({ msn }) => msn)).toEqual(all.map((_, i) => (all[0]?.msn ?? 0) + i))
    for (const [i, { startMs, durationMs }] of all.entries()) {
      const before = all[i - 1]
      if (before === undefined) continue
      // G1: dates do not go back; and there is no hole while a slate is shown.
      expect(startMs).toBeGreaterThanOrEqual(before.startMs + before.durationMs - 1)
      if (before.source === 'slate' && all[i]?.source === 'slate') {
        expect(startMs - (before.startMs + before.durationMs)).toBeLessThan(1)
      }
      expect(durationMs).toBeGreaterThan(0)
    }
  })

  test('is shown beside a backup only when neither delivers', async () => {
    await start({ onSignalLoss: 'slate', backup })
    camera.off()
    await pass(clock, 15_000)
    expect(stream.view.source).toBe('backup')
    backup.off()
    await pass(clock, 25_000)
    expect(stream.view.source).toBe('slate')
    backup.on()
    await pass(clock, 10_000)
    expect(stream.view.source).toBe('backup')
  })

  test('does not follow what has ended', async () => {
    await start({ onSignalLoss: 'slate' })
    camera.off()
    camera.hasEnded = true
    await pass(clock, 60_000)
    expect(stream.view).toMatchObject({ state: 'ended', source: 'camera' })
  })
})
