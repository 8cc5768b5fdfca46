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

test.each([
  ['a b', '"a b"'],
  ['x level=error', '"x level=error"'],
  ['a"b', '"a\\"b"'],
  ['one\ntwo', '"one\\ntwo"'],
  ['\u009b2Jgone', '"\\u009b2Jgone"'],
  ['\u202eabc', '"\\u202eabc"'],
  ['\u2028x', '"\\u2028x"'],
  ['Zürich', 'Zürich'],
])('in pretty lines %j forges no field, no line, no order to the terminal', (text, shown) => {
  const { lines, destination } = collect()
  createLogger({ level: 'info', format: 'pretty', destination }).warn('odd', { text, list: [text] })
  const quoted = shown.startsWith('"') ? shown : `"${shown}"`
  expect(lines[0]?.slice(13)).toBe(`WARN  odd text=${shown} list=[${quoted}]\n`)
})
