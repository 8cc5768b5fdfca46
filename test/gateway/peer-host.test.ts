import type { NetworkInterfaceInfo } from 'node:os'
import { expect, test } from 'vitest'
import { peerHost } from '../../src/gateway/peer-host.ts'

const address = (text: string, internal = false, scopeid = 0): NetworkInterfaceInfo => {
  const shared = { address: text, netmask: '', mac: '', internal, cidr: null }
  return text.includes(':') ? { ...shared, family: 'IPv6', scopeid } : { ...shared, family: 'IPv4' }
}

const MACHINE = {
  lo: [address('127.0.0.1', true), address('::1', true)],
  eth0: [address('fe80::1', false, 2), address('2001:db8::7'), address('192.0.2.7')],
}

test.each([
  ['127.0.0.1', undefined, '127.0.0.1'],
  ['localhost', undefined, '127.0.0.1'],
  ['::1', undefined, '::1'],
  ['192.0.2.9', undefined, '192.0.2.9'],
  ['0.0.0.0', undefined, '192.0.2.7'],
  ['::', undefined, '192.0.2.7'],
  ['0.0.0.0', '198.51.100.1', '198.51.100.1'],
])('server.host %s and redis.host %s: the others reach it at %s', (host, own, at) => {
  expect(peerHost({ host: own }, { host }, () => MACHINE)).toBe(at)
})

test('where only IPv6 or nothing can be reached, it is that, or this machine alone', () => {
  expect(peerHost({}, { host: '::' }, () => ({ eth0: MACHINE.eth0.slice(0, 2) }))).toBe(
    '2001:db8::7',
  )
  expect(peerHost({}, { host: '::' }, () => ({ lo: MACHINE.lo }))).toBe('127.0.0.1')
})
