import { expect, test } from 'vitest'
import { refusalInWords, reportInWords } from '../../../src/web/pages/admin/reload-words.js'

const nothing = {
  streams: { added: [], changed: [], sourceChanged: [], removed: [], unchanged: 3 },
  applied: [],
  needsRestart: [],
}

test('a reload that changed nothing says so', () => {
  expect(reportInWords(nothing)).toEqual({
    tone: 'good',
    headline: 'The configuration was read again: it is as before.',
    lines: [],
  })
})

test('a reload tells what is in force now, and what waits for a restart', () => {
  const streams = { ...nothing.streams, added: ['gate', 'yard'], sourceChanged: ['lobby'] }
  const report = { streams, applied: ['auth'], needsRestart: ['server.port'] }
  expect(reportInWords({ ...report, needsRestart: [] }).tone).toBe('good')
  expect(reportInWords(report)).toEqual({
    tone: 'note',
    headline: 'The configuration was read again. Some of it waits for a restart.',
    lines: [
      'Streams added: gate, yard',
      'Streams of another source now: lobby',
      'Applied: auth',
      'Needs a restart: server.port',
      'Streams as before: 3',
    ],
  })
})

test('a refusal tells each fault, and where it is', () => {
  const fault = {
    file: 'gateway.yaml',
    line: 7,
    key: 'streams.lobby.window',
    expected: 'a number',
    got: 'soon',
  }
  const whole = { ...fault, line: null, key: '', expected: 'YAML', got: 'nothing' }
  expect(refusalInWords('The configuration has 2 faults.', [fault, whole])).toEqual({
    tone: 'bad',
    headline: 'The configuration has 2 faults.',
    lines: [
      'gateway.yaml:7 streams.lobby.window: expected a number, got soon',
      'gateway.yaml expected YAML, got nothing',
    ],
  })
})
