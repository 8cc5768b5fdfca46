import { describe, expect, test } from 'vitest'
import { CookieJar } from '../../../src/upstream/origin/cookie-jar.ts'
import { ManualClock } from '../../support/manual-clock.ts'

const AT = new URL('https://cdn.example.com/live/cam/list.m3u8')

async function sent(
  lines: readonly string[],
  to = AT.href,
  from = AT,
): Promise<string | undefined> {
  const jar = new CookieJar(new ManualClock())
  await jar.keep(from, lines)
  return jar.headerFor(new URL(to))
}

describe('cookies go back to', () => {
  test.each([
    ['who set them', 'a=1', 'https://cdn.example.com/live/cam/1.ts'],
    ['its other paths under the same folder', 'a=1', 'https://cdn.example.com/live/cam/x/1.ts'],
    ['all of its paths where it says so', 'a=1; Path=/', 'https://cdn.example.com/other/1.ts'],
    [
      'hosts of its domain where it says so',
      'a=1; Domain=example.com; Path=/',
      'https://media.example.com/1.ts',
    ],
    [
      'the same, with a dot, in capitals',
      'a=1; domain=.EXAMPLE.com; path=/',
      'https://media.example.com/1.ts',
    ],
    ['another port', 'a=1; Path=/', 'https://cdn.example.com:8443/1.ts'],
  ])('%s', async (_what, line, to) => {
    expect(await sent([line], to)).toBe('a=1')
  })
})

describe('cookies do not go to', () => {
  test.each([
    ['another host', 'a=1; Path=/', 'https://media.example.com/1.ts'],
    ['another folder', 'a=1', 'https://cdn.example.com/other/1.ts'],
    ['a folder whose name begins alike', 'a=1; Path=/live', 'https://cdn.example.com/lively/1.ts'],
    [
      'a host whose name ends alike',
      'a=1; Domain=example.com; Path=/',
      'https://badexample.com/1.ts',
    ],
    ['http, when they are secure', 'a=1; Secure; Path=/', 'http://cdn.example.com/1.ts'],
    [
      'a domain that is not the setter’s',
      'a=1; Domain=other.example; Path=/',
      'https://other.example/1.ts',
    ],
  ])('%s', async (_what, line, to) => {
    expect(await sent([line], to)).toBeUndefined()
  })
})

test('several go in one header, the longest path first', async () => {
  expect(await sent(['a=1; Path=/', 'b=2; Path=/live/cam', 'c=3; Path=/'])).toBe('b=2; a=1; c=3')
})

test('a new value takes the place of the old one; one that is over is taken away', async () => {
  const clock = new ManualClock()
  const jar = new CookieJar(clock)
  await jar.keep(AT, ['a=1; Path=/', 'b=2; Path=/; Max-Age=60'])
  await jar.keep(AT, ['a=3; Path=/'])
  expect(jar.headerFor(AT)).toBe('b=2; a=3')
  clock.advance(61_000)
  expect(jar.headerFor(AT)).toBe('a=3')
  await jar.keep(AT, ['a=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT'])
  expect(jar.headerFor(AT)).toBeUndefined()
})

test('what an origin sets without end is bounded', async () => {
  const jar = new CookieJar(new ManualClock())
  const lines = Array.from({ length: 1000 }, (_, i) => `n${i}=v; Path=/`)
  await jar.keep(AT, [...lines, `big=${'x'.repeat(5000)}; Path=/`, 'not a cookie; ;;', ''])
  expect(jar.headerFor(AT)?.split('; ')).toHaveLength(64)
  expect(jar.headerFor(AT)).not.toContain('big')
  // No more than servers take in one line, and of those the newest.
  await jar.keep(
    AT,
    [1, 2, 3].map((i) => `big${i}=${'x'.repeat(3000)}; Path=/`),
  )
  expect(jar.headerFor(AT)?.match(/big./g)).toEqual(['big2', 'big3'])
})
