import { expect, test } from 'vitest'
import { GatewayError } from '../../src/base/errors.ts'
import { keeperLog } from '../../src/sources/session-log.ts'

test('a session that cannot be opened is told once, and again when the reason changes', () => {
  const told: string[] = []
  const to =
    (level: string) =>
    (event: string): void => {
      told.push(`${level}: ${event}`)
    }
  const log = { debug: to('debug'), info: to('info'), warn: to('warn'), error: to('error') }
  const tell = keeperLog(log)
  const codes = ['upstream_timeout', 'upstream_timeout', 'upstream_unavailable'] as const
  for (const code of codes) {
    tell({ kind: 'failed', failure: new GatewayError(code, ''), retryInMs: 1 })
  }
  expect(told.map((line) => line.split(':')[0])).toEqual(['warn', 'debug', 'warn'])
})
