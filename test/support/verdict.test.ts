import { expect, test } from 'vitest'
import { verdict } from './verdict.ts'

const A = '    1.3 s  a.test.ts'

const file = (...statuses: readonly string[]) => ({
  name: 'a.test.ts',
  startTime: 1_000,
  endTime: 2_250,
  status: statuses.includes('failed') || statuses.length === 0 ? 'failed' : 'passed',
  assertionResults: statuses.map((status) => ({ fullName: `a ${status} test`, status })),
})

test.each([
  ['all passed', { testResults: [file('passed', 'passed')] }, 0, true, [A, '2 passed, 0 failed']],
  ['one failed', { testResults: [file('passed', 'failed')] }, 1, false, [A, '1 passed, 1 failed']],
  [
    'one was skipped',
    { testResults: [file('passed', 'skipped')] },
    0,
    false,
    [A, 'skipped: a skipped test', '1 passed, 0 failed'],
  ],
  [
    'a file did not load',
    { testResults: [file('passed'), file()] },
    1,
    false,
    [A, A, 'did not load: a.test.ts', '1 passed, 1 failed'],
  ],
  ['nothing ran', { testResults: [] }, 0, false, ['0 passed, 0 failed']],
  ['the run ended before the tests', undefined, 2, false, ['0 passed, 1 failed']],
  [
    'something besides the tests failed',
    { testResults: [file('passed')] },
    1,
    false,
    [A, '1 passed, 1 failed'],
  ],
])('%s', (_, report, status, good, lines) => {
  expect(verdict(report, status)).toEqual({ good, lines })
})

test('the ten slowest files stand before the verdict, slowest first', () => {
  const testResults = Array.from({ length: 12 }, (_, i) => ({
    ...file('passed'),
    name: `${i}.test.ts`,
    endTime: 1_000 * (i + 1),
  }))
  const { lines } = verdict({ testResults }, 0)
  expect(lines).toHaveLength(11)
  expect(lines[0]).toBe('   11.0 s  11.test.ts')
  expect(lines.at(-1)).toBe('12 passed, 0 failed')
})

test('what passed at the second try only is named', () => {
  const [passed] = file('passed').assertionResults
  const report = {
    testResults: [
      {
        ...file('passed'),
        assertionResults: [{ ...passed, failureMessages: ['Error: late\n  at'] }],
      },
    ],
  }
  expect(verdict(report, 0)).toEqual({
    good: true,
    lines: [A, 'passed at the second try: a passed test: Error: late', '1 passed, 0 failed'],
  })
})
