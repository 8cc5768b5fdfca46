import { expect, test } from 'vitest'
import { parseH2load } from './h2load.ts'
import { parseWrk } from './wrk.ts'

test('a rate is read, and a run with errors is no measurement', () => {
  expect(parseWrk('  300 requests in 1.00s\nRequests/sec:  84001.25\nTransfer/sec: 5MB\n')).toBe(
    84001.25,
  )
  expect(() => parseWrk('Non-2xx or 3xx responses: 7\nRequests/sec:  84001.25\n')).toThrow('errors')
  expect(() => parseWrk('unable to connect')).toThrow('no rate')
})

test('the same of h2load', () => {
  const output = (codes: string, failed = 0): string => `finished in 3.00s, 14071.33 req/s, 28MB/s
requests: 42214 total, 42342 started, 42214 done, 42214 succeeded, ${failed} failed, 0 errored, 0 timeout
status codes: ${codes}`
  expect(parseH2load(output('42214 2xx, 0 3xx, 0 4xx, 0 5xx'))).toBe(14071.33)
  expect(() => parseH2load(output('42213 2xx, 0 3xx, 0 4xx, 1 5xx'))).toThrow('errors')
  expect(() => parseH2load(output('42214 2xx, 0 3xx, 0 4xx, 0 5xx', 2))).toThrow('errors')
  expect(() => parseH2load('unable to connect')).toThrow('errors')
})
