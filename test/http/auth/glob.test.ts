import fc from 'fast-check'
import { expect, test } from 'vitest'
import { globMatcher } from '../../../src/http/auth/glob.ts'

test.each([
  ['lobby', ['lobby'], ['Lobby', 'lobby2', 'obby', '']],
  ['cam-*', ['cam-', 'cam-1', 'cam-a.b'], ['cam', 'xcam-1']],
  ['cam-?', ['cam-1'], ['cam-', 'cam-12']],
  ['*-east*', ['a-east', 'a-east-1', '-east'], ['east', 'a-west']],
  ['*', ['a', 'a.b'], ['', '..', 'a/b', 'a'.repeat(257)]],
  ['*a*b', ['ab', 'xaxb', 'abab'], ['ba', 'aba']],
  ['.*', ['.a'], ['a', 'ab']],
])('%s', (pattern, yes, no) => {
  const matches = globMatcher(pattern)
  expect(yes.filter((name) => !matches(name))).toEqual([])
  expect(no.filter(matches)).toEqual([])
})

test('any pattern agrees with the regular expression that it stands for', () => {
  const letters = (of: string) =>
    fc.string({ unit: fc.constantFrom(...of.split('')), maxLength: 12 })
  fc.assert(
    fc.property(
      letters('ab*?'),
      letters('ab').map((rest) => `a${rest}`),
      (pattern, name) => {
        const expression = pattern.replaceAll('*', '.*').replaceAll('?', '.')
        expect(globMatcher(pattern)(name)).toBe(new RegExp(`^${expression}$`).test(name))
      },
    ),
    { numRuns: 2000 },
  )
})

test('a pattern that makes others think for years says no', () => {
  expect(globMatcher('*a'.repeat(128))(`${'a'.repeat(127)}b`)).toBe(false)
})
