import { expect, test } from 'vitest'
import { isAwsControlHost, UpstreamHosts } from '../../../src/upstream/kvs/hosts.ts'

const aws = new UpstreamHosts(false)
const overridden = new UpstreamHosts(true)

test.each([
  'https://b-1234abcd.kinesisvideo.us-west-2.amazonaws.com',
  'https://b-1234abcd.kinesisvideo.cn-north-1.amazonaws.com.cn/hls/v1/x?SessionToken=t',
])('G17: a KVS data host is followed: %s', (url) => {
  expect(aws.check(url).href).toContain(url)
})

test.each([
  'http://b-1234abcd.kinesisvideo.us-west-2.amazonaws.com',
  'https://b-1234abcd.kinesisvideo.us-west-2.amazonaws.com:8443',
  'https://b-1234abcd.kinesisvideo.us-west-2.amazonaws.com.attacker.example',
  'https://attacker.example/b-1234abcd.kinesisvideo.us-west-2.amazonaws.com',
  'https://b-1234abcd.kinesisvideo.us-west-2.amazonaws.com@attacker.example',
  'https://user:secret@b-1234abcd.kinesisvideo.us-west-2.amazonaws.com',
  'https://xb-1234abcd.kinesisvideo.us-west-2.amazonaws.com',
  'https://169.254.169.254/latest/meta-data',
  'http://127.0.0.1:8080',
  'file:///etc/passwd',
  'not a url',
  '',
])('G17: nothing else is, without an override: %s', (url) => {
  expect(() => aws.check(url)).toThrow('Upstream named an address')
})

test('with an override the endpoint decides, over plain http too', () => {
  expect(overridden.check('http://127.0.0.1:4567').port).toBe('4567')
  expect(() => overridden.check('file:///etc/passwd')).toThrow('not http or https')
  expect(() => overridden.check('http://user:secret@127.0.0.1')).toThrow('holds credentials')
})

test('G16: a refusal does not quote the address', () => {
  expect(() => aws.check('https://evil.example/?SessionToken=abc')).toThrow(
    /^Upstream named an address that is not a KVS data host\.$/,
  )
})

test.each([
  ['kinesisvideo.us-west-2.amazonaws.com', true],
  ['kinesisvideo-fips.us-gov-west-1.amazonaws.com', true],
  ['kinesisvideo.us-west-2.api.aws', true],
  ['kinesisvideo.cn-north-1.amazonaws.com.cn', true],
  ['vpce-0123.kinesisvideo.us-west-2.vpce.amazonaws.com', false],
  ['127.0.0.1', false],
])('%s is AWS’s own control host: %s', (host, expected) => {
  expect(isAwsControlHost(host)).toBe(expected)
})
