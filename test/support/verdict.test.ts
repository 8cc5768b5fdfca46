import { expect, test } from 'vitest'
import { verdict } from './verdict.ts'

const file = (...statuses: readonly string[]) => ({
  name: 'a.test.ts',
  status: statuses.includes('failed') || statuses.length === 0 ? 'failed' : 'passed',
  assertionResults: statuses.map((status) => ({ fullName: `a ${status} test`, status })),
})

test.each([
  ['all passed', { testResults: [file('passed', 'passed')] }, 0, true, ['2 passed, 0 failed']],
  ['one failed', { testResults: [file('passed', 'failed')] }, 1, false, ['1 passed, 1 failed']],
  [
    'one was skipped',
    { testResults: [file('passed', 'skipped')] },
    0,
    false,
    ['skipped: a skipped test', '1 passed, 0 failed'],
  ],
  [
    'a file did not load',
    { testResults: [file('passed'), file()] },
    1,
    false,
    ['did not load: a.test.ts', '1 passed, 1 failed'],
  ],
  ['nothing ran', { testResults: [] }, 0, false, ['0 passed, 0 failed']],
  ['the run ended before the tests', undefined, 2, false, ['0 passed, 1 failed']],
  [
    'something besides the tests failed',
    { testResults: [file('passed')] },
    1,
    false,
    ['1 passed, 1 failed'],
  ],
])('%s', (_, report, status, good, lines) => {
  expect(verdict(report, status)).toEqual({ good, lines })
})
