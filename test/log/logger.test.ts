import { expect, test } from 'vitest'
import { createLogger } from '../../src/log/logger.ts'

function collect(): { lines: string[]; destination: { write(line: string): void } } {
  const lines: string[] = []
  return { lines, destination: { write: (line) => void lines.push(line) } }
}

test('an event is one line of JSON with its fields and all causes of an error', () => {
  const { lines, destination } = collect()
  const error = new Error('opening failed', { cause: new Error('connect ECONNREFUSED') })
  createLogger({ level: 'info', destination }).warn('session failed', { stream: 'lobby', error })

  expect(lines).toHaveLength(1)
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({
    level: 'warn',
    msg: 'session failed',
    stream: 'lobby',
    error: { message: 'opening failed', cause: { message: 'connect ECONNREFUSED' } },
  })
})

test('a causal loop ends', () => {
  const { lines, destination } = collect()
  const error = new Error('round')
  error.cause = error
  createLogger({ level: 'info', destination }).error('failed', { error })
  expect(lines[0]?.length).toBeLessThan(5000)
})

test('pretty lines are for people, and as silent about secrets', () => {
  const { lines, destination } = collect()
  const log = createLogger({ level: 'info', format: 'pretty', destination })
  log.info('session opened', { stream: 'lobby', url: 'https://h/x?SessionToken=abc' })
  expect(lines[0]).toMatch(/^\d\d:\d\d:\d\d\.\d{3} INFO {2}session opened stream=lobby/)
  expect(lines[0]).not.toContain('abc')
})
