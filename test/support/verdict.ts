// What a test run came to, for `.ci/run`: node test/support/verdict.ts REPORT STATUS
import { existsSync, readFileSync } from 'node:fs'
import { relative } from 'node:path'
import { z } from 'zod'

/** The part of vitest's JSON report that counts. */
const reportSchema = z.object({
  testResults: z.array(
    z.object({
      name: z.string(),
      status: z.string(),
      startTime: z.number(),
      endTime: z.number(),
      assertionResults: z.array(
        z.object({
          fullName: z.string(),
          status: z.string(),
          failureMessages: z.array(z.string()).default([]),
        }),
      ),
    }),
  ),
})

type FileResult = z.output<typeof reportSchema>['testResults'][number]

const SLOWEST = 10

export interface Verdict {
  readonly good: boolean
  /** The last of them is `N passed, N failed`. */
  readonly lines: readonly string[]
}

/**
 * @param report the JSON report; undefined if the run ended before it was written
 * @param status exit code of the test command, which lints and checks types before it tests
 */
export function verdict(report: unknown, status: number): Verdict {
  const { testResults } = report === undefined ? { testResults: [] } : reportSchema.parse(report)
  const tests = testResults.flatMap(({ assertionResults }) => assertionResults)
  const passed = tests.filter((result) => result.status === 'passed').length
  const failed = tests.filter((result) => result.status === 'failed').length
  const again = tests.filter(
    ({ status: each, failureMessages }) => each === 'passed' && failureMessages.length > 0,
  )
  const skipped = tests.filter((result) => !['passed', 'failed'].includes(result.status))
  // A file that does not load has no test to count, and is a failure all the same.
  const broken = testResults.filter(
    (file) => file.status === 'failed' && file.assertionResults.length === 0,
  )
  const failures = failed + broken.length
  const good = status === 0 && failures === 0 && skipped.length === 0 && passed > 0
  return {
    good,
    lines: [
      ...slowest(testResults),
      ...again.map(
        ({ fullName, failureMessages: [first = ''] }) =>
          `passed at the second try: ${fullName}: ${first.split('\n')[0]}`,
      ),
      ...broken.map(({ name }) => `did not load: ${name}`),
      ...skipped.map(({ fullName }) => `skipped: ${fullName}`),
      `${passed} passed, ${failures === 0 && status !== 0 ? 1 : failures} failed`,
    ],
  }
}

/** The files that took longest, from start to end, in seconds. */
function slowest(files: readonly FileResult[]): readonly string[] {
  return files
    .map(({ name, startTime, endTime }) => ({ name, seconds: (endTime - startTime) / 1000 }))
    .toSorted((a, b) => b.seconds - a.seconds)
    .slice(0, SLOWEST)
    .map(({ name, seconds }) => `${seconds.toFixed(1).padStart(7)} s  ${relative('.', name)}`)
}

if (import.meta.main) {
  const [file = '', status = '1'] = process.argv.slice(2)
  const report: unknown = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined
  const { good, lines } = verdict(report, Number(status))
  for (const line of lines) console.log(line)
  process.exitCode = good ? 0 : 1
}
