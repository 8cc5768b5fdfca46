import { expect, test } from 'vitest'
import type { SavedTimelines } from '../../src/store/saved-timelines.ts'
import { Follows } from '../support/follows.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { ScriptedCamera } from '../support/scripted-camera.ts'
import { openScripted, pass } from '../support/scripted-stream.ts'

const never = new AbortController().signal

test('G15: a segment that only its owner knows to be listed is waited for, but not for ever', async () => {
  const clock = new ManualClock()
  const camera = new ScriptedCamera(clock)
  camera.on()
  const saves: unknown[] = []
  const timelines: SavedTimelines = {
    load: () => Promise.resolve(undefined),
    names: () => Promise.resolve([]),
    save: async (_stream, timeline) => {
      saves.push(JSON.parse(JSON.stringify(timeline)))
    },
  }
  const activation = 'always'
  const owner = await openScripted({ clock, camera, timelines, activation })
  const ownership = new Follows()
  const away = new ScriptedCamera(clock)
  const stream = await openScripted({ clock, camera: away, ownership, activation })
  try {
    owner.start()
    stream.start()
    await pass(clock, 10_000)
    ownership.follower?.saved(saves.at(-2))
    await pass(clock, 0)
    const { msn = 0, tracks } = owner.view.live?.tail.at(-1) ?? {}
    const { id = '', bytes } = tracks?.video ?? {}
    const asked = stream.fragment('video', msn, id, never)
    ownership.follower?.saved(saves.at(-1))
    await pass(clock, 0)
    expect((await asked).size).toBe(bytes)

    const tooEarly = Promise.resolve(stream.fragment('video', msn + 1, 'unknown', never))
    const refused = expect(tooEarly).rejects.toMatchObject({ code: 'segment_not_ready' })
    await pass(clock, 2_000)
    await refused
  } finally {
    await owner.close()
    await stream.close()
  }
})
