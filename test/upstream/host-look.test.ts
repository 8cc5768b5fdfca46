import { expect, test } from 'vitest'
import { systemClock } from '../../src/base/clock.ts'
import { lookAtHost } from '../../src/upstream/host-look.ts'
import { hostKind } from '../../src/upstream/kvs/hosts.ts'

const HOST = 'b-1234abcd.kinesisvideo.us-west-2.amazonaws.com'
const never = new AbortController().signal

test.each([
  [HOST, 'aws'],
  ['kinesisvideo-fips.us-gov-west-1.amazonaws.com', 'fips'],
  ['b-1234abcd.kinesisvideo.us-west-2.api.aws', 'dual-stack'],
  ['kinesisvideo.cn-north-1.api.amazonwebservices.com.cn', 'dual-stack'],
  ['127.0.0.1', 'other'],
])('%s is of the kind %s', (hostname, kind) => {
  expect(hostKind(hostname)).toBe(kind)
})

test('this machine is a private host of one family at least', async () => {
  const host = await lookAtHost(systemClock, '127.0.0.1', {}, never)
  expect(host).toEqual({ kind: 'other', ipv4: 1, ipv6: 0, isPrivate: true, viaProxy: false })
})

test('a name that DNS does not know is a fault, unless a proxy is to know it', async () => {
  const unknown = 'nobody.invalid'
  const direct = await lookAtHost(systemClock, unknown, {}, never)
  const proxied = await lookAtHost(systemClock, unknown, { http: 'http://proxy:3128' }, never)
  expect(direct.fault?.name).toMatch(/^(ENOTFOUND|EAI_)/)
  expect(proxied.fault).toBeUndefined()
})
