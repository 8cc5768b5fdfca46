import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import { testFiles } from '../test/support/kinds.ts'

/** Where the JSON report goes that `.ci/run` counts from; none without it. */
const report = process.env['TEST_REPORT']

/**
 * Nothing waits so long on a machine that works, however slow. What fails does so by what it expects; only what
 * hangs meets these.
 */
const HANGS_MS = 600_000

const { quick, served, real } = testFiles()

export default defineConfig({
  root: fileURLToPath(new URL('..', import.meta.url)),
  test: {
    pool: 'forks',
    maxWorkers: Math.max(1, Math.min(4, availableParallelism())),
    testTimeout: HANGS_MS,
    hookTimeout: HANGS_MS,
    teardownTimeout: 60_000,
    // Tests that say so run at once: many give their media to one decoder.
    maxConcurrency: 12,
    expect: { poll: { timeout: 240_000 } },
    reporters: report === undefined ? ['default'] : ['default', ['json', { outputFile: report }]],
    coverage: { provider: 'v8', include: ['src/**/*.ts'], reporter: ['text-summary', 'html'] },
    projects: [
      // Files leave nothing behind, so a process runs many of them, and loads what they share once.
      { extends: true, test: { name: 'quick', include: [...quick], isolate: false } },
      { extends: true, test: { name: 'served', include: [...served], isolate: false } },
      {
        extends: true,
        test: {
          name: 'real',
          include: [...real],
          isolate: false,
          // Players, browsers and clocks that are real share two cores in CI: what fails once and not again is told there by
          // name, and looked into, but does not hold up what has nothing to do with it.
          retry: process.env['CI'] === undefined ? 0 : 1,
          globalSetup: ['test/support/report-tools.ts'],
        },
      },
    ],
  },
})
