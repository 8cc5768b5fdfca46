import { expect, test } from 'vitest'
import { isGlobal, serverTimeHint } from '../../src/timeline/fragment-number.ts'
import { firstDiscontinuitySequence, firstSequence } from '../../src/timeline/numbering.ts'
import { fragmentNumber } from '../support/camera.ts'

const AT = Date.UTC(2026, 0, 1)

test('a FragmentNumber gives its server time, as the published samples do', () => {
  expect(serverTimeHint(91343852333181432392682062607743920146264487402n)).toBe(
    Date.parse('2017-11-28T06:55:09.127Z'),
  )
  expect(serverTimeHint(91343852333185057105875891022195998207386831087n)).toBe(
    Date.parse('2022-01-28T07:00:47.067Z'),
  )
  expect(serverTimeHint(91343852333181432392682062676295219618984969575n)).toBe(AT)
})

test('numbers of a session’s own are no identity and give no time', () => {
  expect(isGlobal(0n)).toBe(false)
  expect(isGlobal(2n ** 156n)).toBe(true)
  expect(serverTimeHint(7n)).toBeUndefined()
})

test('G1: numbering begins at five per second from 2025 to the first fragment’s server time', () => {
  const seconds = (AT - Date.UTC(2025, 0, 1)) / 1000
  expect(firstSequence({ number: fragmentNumber(1, AT), receivedMs: AT + 60_000 })).toBe(
    5 * seconds,
  )
})

test('without a plausible server time, the time of arrival counts', () => {
  const seconds = (AT - Date.UTC(2025, 0, 1)) / 1000
  const wild = fragmentNumber(1, AT - 31 * 24 * 3600 * 1000)
  for (const number of [wild, 0n, 2n ** 400n]) {
    expect(firstSequence({ number, receivedMs: AT })).toBe(5 * seconds)
  }
})

test('G1: numbers stay below 2^31 until 2038, and are never negative', () => {
  expect(firstSequence({ number: 0n, receivedMs: Date.UTC(2038, 0, 1) })).toBeLessThan(2 ** 31)
  expect(firstSequence({ number: 0n, receivedMs: 0 })).toBe(0)
})

test('G1: DSNs begin at six per hour, few enough for players that count them one by one', () => {
  const hours = (AT - Date.UTC(2025, 0, 1)) / 3_600_000
  const first = { number: fragmentNumber(1, AT), receivedMs: AT + 60_000 }
  expect(firstDiscontinuitySequence(first)).toBe(6 * hours)
  expect(firstDiscontinuitySequence({ number: 0n, receivedMs: Date.UTC(2038, 0, 1) })).toBeLessThan(
    1_000_000,
  )
})
