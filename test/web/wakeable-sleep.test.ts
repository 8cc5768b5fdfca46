import { expect, test } from 'vitest'
import { WakeableSleep } from '../../src/web/pages/wakeable-sleep.js'

test('ends with its time', async () => {
  await new WakeableSleep().sleep(1, new AbortController().signal)
})

test('ends when woken, however long it was to last', async () => {
  const pause = new WakeableSleep()
  const asleep = pause.sleep(Number.POSITIVE_INFINITY, new AbortController().signal)
  pause.wake()
  await asleep
})

test('ends when aborted, before or meanwhile', async () => {
  const stop = new AbortController()
  const asleep = new WakeableSleep().sleep(Number.POSITIVE_INFINITY, stop.signal)
  stop.abort()
  await asleep
  await new WakeableSleep().sleep(Number.POSITIVE_INFINITY, stop.signal)
})

test('waking nobody is nothing', () => {
  expect(new WakeableSleep().wake()).toBeUndefined()
})
