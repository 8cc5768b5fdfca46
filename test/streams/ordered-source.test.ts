import { afterEach, expect, test } from 'vitest'
import type { LiveStream } from '../../src/streams/live-stream.ts'
import { Follows } from '../support/follows.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { ScriptedCamera } from '../support/scripted-camera.ts'
import { openScripted, pass } from '../support/scripted-stream.ts'

let stream: LiveStream
afterEach(() => stream.close())

test.each(['heard', 'read at the take-over'])(
  'the source that an operator has ordered is shown by the next owner: %s',
  async (how) => {
    const clock = new ManualClock()
    const [camera, backup] = [new ScriptedCamera(clock), new ScriptedCamera(clock)]
    camera.on()
    backup.on()
    await pass(clock, 30_000)
    const ownership = new Follows()
    stream = await openScripted({ clock, camera, backup, ownership, activation: 'always' })
    stream.start()
    await pass(clock, 1_000)
    if (how === 'heard') {
      ownership.follower?.told({ forced: 'backup' })
      expect(stream.sources.forced).toBe('backup')
    } else ownership.status = { forced: 'backup' }
    ownership.take()
    await pass(clock, 10_000)
    expect(stream.shown).toBe('backup')
    expect(ownership.told.at(-1)).toMatchObject({ forced: 'backup' })
  },
)

test('what is left to the sources again is left so here, too', async () => {
  const clock = new ManualClock()
  const camera = new ScriptedCamera(clock)
  const ownership = new Follows()
  const backup = new ScriptedCamera(clock)
  stream = await openScripted({ clock, camera, backup, ownership, activation: 'always' })
  stream.start()
  await pass(clock, 1_000)
  ownership.follower?.told({ forced: 'backup' })
  ownership.follower?.told({})
  expect(stream.sources.forced).toBeUndefined()
})
