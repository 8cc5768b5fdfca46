import { expect, test } from 'vitest'
import { OriginHosts } from '../../../src/upstream/origin/origin-hosts.ts'

const ON_LOOPBACK = 'http://127.0.0.1:9000/live/master.m3u8'

test.each([
  [ON_LOOPBACK, 'segment-1.ts'],
  [ON_LOOPBACK, 'https://127.0.0.1/segment-1.ts'],
  [ON_LOOPBACK, 'http://cdn.example.com:8080/segment-1.ts'],
  ['http://origin.example.com/a.m3u8', 'https://origin.example.com:8443/segment-1.ts'],
])('of an origin at %s, %s is followed', (origin, uri) => {
  const url = new URL(origin)
  expect(new OriginHosts(url).resolve(uri, url).href).toBe(new URL(uri, url).href)
})

test.each([
  // The admin listener's, as it happens.
  [ON_LOOPBACK, 'http://127.0.0.1:8081/api/v1/streams'],
  [ON_LOOPBACK, '//127.0.0.1:8081/metrics'],
  [ON_LOOPBACK, 'http://127.1:8081/metrics'],
  [ON_LOOPBACK, 'http://0x7f000001:8081/metrics'],
  [ON_LOOPBACK, 'http://localhost:8081/metrics'],
  [ON_LOOPBACK, 'http://[::1]:8081/metrics'],
  [ON_LOOPBACK, 'http://0.0.0.0:8081/metrics'],
  [ON_LOOPBACK, 'http://169.254.169.254/latest/meta-data/'],
  [ON_LOOPBACK, 'file:///etc/passwd'],
  ['http://packager:8080/a.m3u8', 'http://packager:6379/'],
])('of an origin at %s, %s is not', (origin, uri) => {
  const url = new URL(origin)
  expect(() => new OriginHosts(url).resolve(uri, url)).toThrow()
})

test('another port of a host with a public name is no part of it, so its address is judged at connect', () => {
  const hosts = new OriginHosts(new URL('http://origin.example.com/a.m3u8'))
  expect(hosts.isOwn(new URL('http://origin.example.com/key'))).toBe(true)
  expect(hosts.isOwn(new URL('http://origin.example.com:8081/metrics'))).toBe(false)
})
