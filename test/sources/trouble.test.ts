import { expect, test } from 'vitest'
import { GatewayError } from '../../src/base/errors.ts'
import { malformed } from '../../src/formats/mp4/mp4-error.ts'
import type { Lack } from '../../src/ingest/fetch-fragment.ts'
import { StreamTrouble } from '../../src/sources/trouble.ts'
import { upstreamError } from '../../src/upstream/errors.ts'

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
    'The origin',
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

test('media that every session refuses are told once, until something is published', () => {
  const { trouble, told } = watched()
  const unsupported = (): GatewayError => upstreamError('upstream_unsupported_media')
  const refuse = (from: bigint): void => {
    for (let n = from; n < from + 3n; n += 1n) {
      const error = unsupported()
      if (trouble.refused(n, error)) trouble.session(error)
      trouble.skipped(n, unsupported())
      trouble.session(unsupported())
    }
  }
  refuse(0n)
  expect(told).toEqual([['fragment refused, a new session tries'], ['fragment skipped']])
  trouble.clear()
  refuse(3n)
  expect(told.slice(2)).toEqual([
    ['fragment refused, a new session tries'],
    ['upstream session failed'],
  ])
})

test('a failure names whose it is, wherever it was found', () => {
  const { trouble } = watched()
  trouble.session(malformed('no moof'))
  expect(trouble.current?.message).toBe('The origin did not give a usable answer.')
  trouble.session(upstreamError('upstream_timeout'))
  expect(trouble.current?.message).toBe('The origin did not answer in time.')
  const said = new GatewayError('upstream_unavailable', 'The origin answered 403.')
  trouble.session(said)
  expect(trouble.current).toBe(said)
})
