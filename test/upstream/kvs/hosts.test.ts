import { expect, test } from 'vitest'
import { isAwsControlHost, UpstreamHosts } from '../../../src/upstream/kvs/hosts.ts'

const aws = new UpstreamHosts(false)
const overridden = new UpstreamHosts(true)

test.each([
  'https://b-1234abcd.kinesisvideo.us-west-2.amazonaws.com',
  'https://b-1234abcd.kinesisvideo.cn-north-1.amazonaws.com.cn/hls/v1/x?SessionToken=t',
  'https://b-1234abcd.kinesisvideo.us-west-2.api.aws',
  'https://b-1234abcd.kinesisvideo-fips.us-gov-west-1.amazonaws.com',
  'https://b-1234abcd.kinesisvideo-fips.us-gov-west-1.api.aws',
  'https://b-1234abcd.kinesisvideo.cn-north-1.api.amazonwebservices.com.cn',
  'https://b-1234abcd.kinesisvideo.us-iso-east-1.c2s.ic.gov',
  'https://b-1234abcd.kinesisvideo.us-isob-east-1.api.aws.scloud',
  'https://b-1234abcd.kinesisvideo.eusc-de-east-1.amazonaws.eu',
  'https://b-1234abcd.kinesisvideo.eusc-de-east-1.api.amazonwebservices.eu',
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
  'https://b-1234abcd.kinesisvideo-x.us-west-2.amazonaws.com',
  'https://b-1234abcd.kinesisvideo.us-west-2.api.aws.attacker.example',
  'https://b-1234abcd.kinesisvideo.us-west-2.apixaws',
  'https://b-1234abcd.kinesisvideo.us-west-2.amazonaws.com.eu',
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
  ['kinesisvideo.cn-north-1.api.amazonwebservices.com.cn', true],
  ['kinesisvideo-fips.us-iso-east-1.c2s.ic.gov', true],
  ['kinesisvideo.eusc-de-east-1.amazonaws.eu', true],
  ['vpce-0123.kinesisvideo.us-west-2.vpce.amazonaws.com', false],
  ['127.0.0.1', false],
])('%s is AWS’s own control host: %s', (host, expected) => {
  expect(isAwsControlHost(host)).toBe(expected)
})
