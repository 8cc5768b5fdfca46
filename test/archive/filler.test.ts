import { expect, test } from 'vitest'
import { Filler } from '../../src/archive/filler.ts'
import { Lister } from '../../src/archive/lister.ts'
import type { LiveTail } from '../../src/archive/live-tail.ts'
import { PastFragments } from '../../src/archive/past-fragments.ts'
import { PastList } from '../../src/archive/past-list.ts'
import { RecordingWindow, type WindowBounds } from '../../src/archive/recording-window.ts'
import { systemClock } from '../../src/base/clock.ts'
import { silentLog } from '../../src/base/log.ts'
import { cacheOf } from '../support/fragment-cache.ts'
import { type PastSession, START_MS, sessionOver } from './past-session.ts'

const never = new AbortController().signal
const stored = Array.from({ length: 100 }, (_, i) => ({
  number: BigInt(i),
  dateMs: START_MS + 1000 * i,
  tracks: 1,
}))

/** A stream that does not run. */
const tail: LiveTail = {
  snapshot: () => undefined,
  changed: () => Promise.reject(new Error('nothing changes')),
  fragment: () => Promise.reject(new Error('nothing is there')),
  init: () => undefined,
  ready: () => Promise.reject(new Error('it does not start')),
}

test('G18: a range of too many fragments is not listed on by those who ask again', async () => {
  let sessions = 0
  const open = async (bounds: WindowBounds): Promise<PastSession> => {
    sessions += 1
    return Promise.resolve(sessionOver(stored, bounds))
  }
  const clock = systemClock
  const windowOptions = { clock, open, opened: () => {} }
  const openWindow = (bounds: WindowBounds) => new RecordingWindow(bounds, windowOptions)
  const list = new PastList('dates')
  const filler = new Filler(list, false, {
    range: { startMs: START_MS, endMs: START_MS + 100_000 },
    clock,
    log: silentLog,
    tail,
    recording: {
      lister: new Lister(START_MS, { ...windowOptions, mostResults: 10 }),
      openWindow,
      fragments: new PastFragments({ stream: 'lobby', cache: cacheOf(clock), openWindow }),
    },
    mostEntries: 30,
  })
  const tooMuch = /more than 30 fragments/
  await expect(filler.fill(never)).rejects.toThrow(tooMuch)
  const before = sessions
  for (let i = 0; i < 20; i += 1) await expect(filler.fill(never)).rejects.toThrow(tooMuch)
  expect(sessions).toBe(before)
  expect(list.entries.length).toBeLessThan(45)
})
