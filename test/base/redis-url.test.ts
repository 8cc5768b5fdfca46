import { expect, test } from 'vitest'
import { parseRedisUrl, showRedis } from '../../src/base/redis-url.ts'

const plain = {
  kind: 'server',
  tls: false,
  user: {},
  hosts: [{ host: 'a', port: 6379 }],
  database: 0,
  master: '',
  sentinelUser: {},
}

test.each([
  ['redis://a', plain],
  ['redis://a/', plain],
  ['redis://a:7000/3', { ...plain, hosts: [{ host: 'a', port: 7000 }], database: 3 }],
  ['rediss://[::1]', { ...plain, tls: true, hosts: [{ host: '::1', port: 6379 }] }],
  ['redis://:pass@a', { ...plain, user: { password: 'pass' } }],
  ['redis://me:p%40ss:word@a', { ...plain, user: { username: 'me', password: 'p@ss:word' } }],
  [
    'rediss+sentinel://me:x@a:1,b/main/2?username=them&password=y%26z',
    {
      kind: 'sentinel',
      tls: true,
      user: { username: 'me', password: 'x' },
      hosts: [
        { host: 'a', port: 1 },
        { host: 'b', port: 26_379 },
      ],
      database: 2,
      master: 'main',
      sentinelUser: { username: 'them', password: 'y&z' },
    },
  ],
  [
    'redis+cluster://a,b:7001',
    {
      ...plain,
      kind: 'cluster',
      hosts: [
        { host: 'a', port: 6379 },
        { host: 'b', port: 7001 },
      ],
    },
  ],
])('%s is read', (url, address) => {
  expect(parseRedisUrl(url)).toEqual(address)
})

test.each([
  'a:6379',
  'http://a',
  'redis+other://a',
  'redis://',
  'redis://a,b',
  'redis://a:0',
  'redis://a:65536',
  'redis://a:b',
  'redis://a/x',
  'redis://a/0/1',
  'redis://a?password=x',
  'redis://%zz@a',
  'redis://a b',
  'redis+sentinel://a',
  'redis+sentinel://a/main/0/1',
  'redis+sentinel://a/main?other=x',
  'redis+sentinel://a,/main',
  'redis+cluster://a/1',
])('%s is no address of a Redis', (url) => {
  expect(parseRedisUrl(url)).toBeUndefined()
})

test.each([
  ['redis://me:hunter2@a/3', 'redis://a:6379/3'],
  ['rediss://:hunter2@[::1]:7000', 'rediss://[::1]:7000'],
  [
    'redis+sentinel://me:hunter2@a,b/main?password=hunter2',
    'redis+sentinel://a:26379,b:26379/main',
  ],
])('G16: %s is shown without what opens it', (url, shown) => {
  const address = parseRedisUrl(url)
  expect(address && showRedis(address)).toBe(shown)
})
