import { expect, test } from 'vitest'
import { GatewayError } from '../../src/base/errors.ts'
import type { Lack } from '../../src/ingest/fetch-fragment.ts'
import { StreamTrouble } from '../../src/sources/trouble.ts'

const SOUND: Lack = { what: 'sound', code: 'upstream_unavailable' }
const GONE = new GatewayError('segment_gone', 'gone')

function watched() {
  const told: unknown[][] = []
  let lost = 0
  const line =
    (level: string) =>
    (event: string, fields: Readonly<Record<string, unknown>> = {}): void => {
      const what = fields['what'] ?? fields['lacking']
      if (level !== 'debug') told.push(what === undefined ? [event] : [event, what])
    }
  const log = { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') }
  const trouble = new StreamTrouble(
    log,
    () => {},
    (fragments) => {
      lost += fragments
    },
  )
  return { trouble, told, lost: () => lost }
}

test('what fragments lack is told once, and summed up when ten in a row were whole', () => {
  const { trouble, told } = watched()
  for (let n = 0n; n < 20n; n += 1n) trouble.lacking(n, n % 2n === 0n ? SOUND : undefined)
  expect(trouble.lack).toBe('upstream_unavailable')
  expect(told).toEqual([['fragments lack something', 'sound']])
  for (let n = 20n; n < 29n; n += 1n) trouble.lacking(n, undefined)
  expect(trouble.lack).toBeUndefined()
  expect(told).toEqual([
    ['fragments lack something', 'sound'],
    ['fragments are whole again', 10],
  ])
})

test('fragments that are lost are told once, counted all, and are a reason', () => {
  const { trouble, told, lost } = watched()
  for (let n = 0n; n < 5n; n += 1n) trouble.skipped(n, GONE)
  trouble.missing(9n, 4)
  trouble.missing(12n, 2)
  expect(told).toEqual([['fragment skipped'], ['fragments missing upstream']])
  expect(lost()).toBe(11)
  expect(trouble.lack).toBe('upstream_unavailable')
})

test('things that differ each time do not fill the log', () => {
  const { trouble, told } = watched()
  for (let n = 0n; n < 100n; n += 1n) trouble.lacking(n, { ...SOUND, what: `bytes at ${n}` })
  expect(told).toHaveLength(8)
})
