import { z } from 'zod'
import type { TimeRange } from '../archive/recording.ts'
import { GatewayError } from '../base/errors.ts'

/** A range that may have no end yet, in milliseconds since 1970. */
export interface OpenTimeRange {
  readonly startMs: number
  readonly endMs: number | undefined
}

type Query = Readonly<Record<string, unknown>>

const EXPECTED = 'an ISO 8601 time with a zone, such as 2026-11-23T10:00:00Z, or Unix seconds'
const isoTime = z.iso.datetime({ offset: true })
/** Matches seconds since 1970, up to the year 2286, as long as ten digits are. */
const UNIX_SECONDS = /^\d{1,10}(\.\d{1,9})?$/

/**
 * Reads `start` and `end` of an archive request. The end may be absent, or lie in the future.
 * @throws GatewayError `bad_request` that says what is wrong
 */
export function readTimeRange(query: Query, nowMs: number): OpenTimeRange {
  const startMs = readTime(query, 'start')
  const endMs = readTime(query, 'end')
  if (startMs === undefined) throw refusal(`start is missing: expected ${EXPECTED}`)
  if (startMs >= nowMs) throw refusal('start lies in the future')
  if (endMs !== undefined && endMs <= startMs) throw refusal('end has to be later than start')
  return { startMs, endMs }
}

/**
 * Reads a range as {@link readTimeRange} does, for what has to be over, and not longer than `maxMs`.
 * @throws GatewayError `bad_request` that says what is wrong
 */
export function readClosedTimeRange(query: Query, nowMs: number, maxMs: number): TimeRange {
  const { startMs, endMs } = readTimeRange(query, nowMs)
  if (endMs === undefined) throw refusal(`end is missing: expected ${EXPECTED}`)
  if (endMs > nowMs) throw refusal('end lies in the future')
  if (endMs - startMs <= maxMs) return { startMs, endMs }
  throw refusal(
    `start and end are ${(endMs - startMs) / 1000} s apart, and may be at most ${maxMs / 1000} s`,
  )
}

/** Reads a time in milliseconds since 1970; undefined when the query does not have it. */
function readTime(query: Query, name: 'start' | 'end'): number | undefined {
  const value = query[name]
  if (value === undefined) return undefined
  if (typeof value !== 'string') throw refusal(`${name} is given more than once`)
  if (UNIX_SECONDS.test(value)) return Math.round(Number(value) * 1000)
  // A plus sign that nobody escaped arrives as a space.
  const text = value.replace(/ (?=\d\d:\d\d$)/, '+')
  if (isoTime.safeParse(text).success) return Date.parse(text)
  throw refusal(`${name}: expected ${EXPECTED}, got "${printable(value)}"`)
}

function printable(value: string): string {
  return value.replace(/[^\x20-\x7e]/g, '?').slice(0, 40)
}

function refusal(message: string): GatewayError {
  return new GatewayError('bad_request', message)
}
