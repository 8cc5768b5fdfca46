import { expect, test } from 'vitest'
import { isQuick, isRegExp } from '../../src/config/name-pattern.ts'
import { faultLines } from './support.ts'

test.each([
  '^cam-[a-z0-9-]+$',
  '^[a-z]{1,100}-[a-z]{1,100}$',
  '^(?:[a-z]+-)*[a-z]+$',
  '.*',
  '^(north|south)-\\d+$',
])('%s is quick', (pattern) => {
  expect(isQuick(pattern)).toBe(true)
})

test.each(['^(a+)+$', '^cam-(a+)+$', '^([a-z0-9]+)*$', '^(?:[a-z]+-?)*$', '(a|a)*b'])(
  'G17: %s is not',
  (pattern) => {
    expect(isQuick(pattern)).toBe(false)
  },
)

test('what is no regular expression in Unicode mode is none', () => {
  expect(isRegExp('^cam-(')).toBe(false)
  expect(isRegExp('^cam\\_x$')).toBe(false)
})

test('a pattern that takes its time stops the start', () => {
  expect(faultLines('dynamicStreams: [{ match: "^(a+)+$" }]').join()).toContain(
    'dynamicStreams[0].match: expected a regular expression that decides quickly',
  )
})
