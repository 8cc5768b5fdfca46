import { expect, test } from 'vitest'
import { parseWrk } from './wrk.ts'

test('a rate is read, and a run with errors is no measurement', () => {
  expect(parseWrk('  300 requests in 1.00s\nRequests/sec:  84001.25\nTransfer/sec: 5MB\n')).toBe(
    84001.25,
  )
  expect(() => parseWrk('Non-2xx or 3xx responses: 7\nRequests/sec:  84001.25\n')).toThrow('errors')
  expect(() => parseWrk('unable to connect')).toThrow('no rate')
})
