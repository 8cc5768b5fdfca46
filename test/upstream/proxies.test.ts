import { describe, expect, test } from 'vitest'
import { systemClock } from '../../src/base/clock.ts'
import { startEmulator } from '../../src/emulator/emulator.ts'
import { UpstreamAgent } from '../../src/upstream/agent.ts'
import { LIVE } from '../../src/upstream/kvs/kvs-api.ts'
import { LocalStreamQuota } from '../../src/upstream/kvs/quota.ts'
import { SdkKvsApi } from '../../src/upstream/kvs/sdk-kvs-api.ts'
import { type Proxies, ProxyChoice, proxiesOf } from '../../src/upstream/proxies.ts'
import { readText } from '../../src/upstream/read-text.ts'
import { startProxyServer } from './support/proxy-server.ts'
import { startWebServer } from './support/web-server.ts'

const never = new AbortController().signal

test.each<[string, Record<string, string>, Proxies]>([
  ['nothing', {}, {}],
  [
    'capitals',
    { HTTP_PROXY: 'http://a', HTTPS_PROXY: 'http://b', NO_PROXY: 'c' },
    { http: 'http://a', https: 'http://b', none: 'c' },
  ],
  [
    'small letters',
    { http_proxy: 'http://a', https_proxy: 'http://b', no_proxy: 'c' },
    { http: 'http://a', https: 'http://b', none: 'c' },
  ],
  [
    'both, small letters first',
    { HTTP_PROXY: 'http://a', http_proxy: 'http://b' },
    { http: 'http://b', https: 'http://b' },
  ],
  ['one for all', { HTTP_PROXY: 'http://a' }, { http: 'http://a', https: 'http://a' }],
  ['one for https alone', { https_proxy: 'http://a' }, { https: 'http://a' }],
  ['empty ones', { HTTP_PROXY: '', https_proxy: '' }, {}],
])('proxies are read from the environment: %s', (_what, env, expected) => {
  expect(proxiesOf(env)).toEqual({
    http: undefined,
    https: undefined,
    none: undefined,
    ...expected,
  })
})

test('a proxy without a scheme speaks http', () => {
  expect(proxiesOf({ HTTPS_PROXY: 'proxy.corp:3128' }).https).toBe('http://proxy.corp:3128')
})

const HOST = 'https://b-1234abcd.kinesisvideo.us-west-2.amazonaws.com'

test.each([
  ['', HOST, true],
  ['localhost, example.com', HOST, true],
  ['amazonaws.com', HOST, false],
  ['localhost .amazonaws.com:443', HOST, false],
  ['amazonaws.com:8443', HOST, true],
  ['amazonaws.com:8443', `${HOST}:8443`, false],
  ['AmazonAWS.com.', `${HOST}.`, false],
  ['*.us-west-2.amazonaws.com', HOST, false],
  ['*.example.com', 'https://example.com', true],
  ['naws.com', HOST, true],
  ['*', HOST, false],
  ['*:80', HOST, true],
  ['*:80', 'http://example.com', false],
  ['10.0.0.0/8', 'http://10.1.2.3:8080', false],
  ['10.0.0.0/8:8080', 'http://10.1.2.3:8080', false],
  ['10.0.0.0/8', 'http://11.1.2.3', true],
  ['10.0.0.0/8', 'http://10.example.com', true],
  ['10.1.*', 'http://10.1.2.3', false],
  ['10.1.2.3', 'http://10.1.2.3:8080', false],
  ['fd00::/8', 'http://[fd00::12]:8080', false],
  ['[fd00::]/8', 'http://[fd00::12]', false],
  ['fd00:0::12', 'http://[fd00::12]', false],
  ['[fd00::12]:8080', 'http://[fd00::12]:8080', false],
  ['[fd00::12]:8080', 'http://[fd00::12]', true],
  ['fd00::/8', 'http://[2001:db8::1]', true],
  ['::1', 'http://[::1]', false],
  ['300.0.0.0/8,[,:80,/', HOST, true],
])('with NO_PROXY %s, %s is asked through a proxy: %s', (none, url, expected) => {
  const choice = new ProxyChoice({ http: 'http://proxy:3128', none })
  expect(choice.proxyOf(new URL(url)) !== undefined).toBe(expected)
})

describe('origins are asked', () => {
  async function ask(proxies: (url: string) => Proxies): Promise<number> {
    await using proxy = await startProxyServer()
    await using origin = await startWebServer()
    origin.replies['/list.m3u8'] = '#EXTM3U'
    const agent = new UpstreamAgent(proxies(proxy.url))
    const url = new URL('/list.m3u8', origin.url)
    const text = await readText({ agent, url, accept: '*/*', maxBytes: 1000 }, never)
    expect(text).toBe('#EXTM3U')
    await agent.destroy()
    return proxy.asked.length
  }

  test('through the proxy', async () => {
    expect(await ask((http) => ({ http }))).toBe(1)
  })

  test('directly without one, or where NO_PROXY says so', async () => {
    expect(await ask(() => ({}))).toBe(0)
    expect(await ask((http) => ({ http, none: 'example.com,127.0.0.1' }))).toBe(0)
  })
})

describe('Kinesis Video Streams and STS are asked', () => {
  const ROLE = 'arn:aws:iam::210987654321:role/viewer'

  async function open(proxies: (url: string) => Proxies): Promise<number> {
    await using proxy = await startProxyServer()
    const emulator = await startEmulator({ config: { cameras: { theirs: { roleArn: ROLE } } } })
    const api = new SdkKvsApi(systemClock, () => 0.5, {
      endpoint: emulator.url,
      region: 'us-west-2',
      proxies: proxies(proxy.url),
    })
    await api.openSession(
      {
        streamName: 'theirs',
        roleArn: ROLE,
        fragmentSelectorType: 'PRODUCER_TIMESTAMP',
        containerFormat: 'FRAGMENTED_MP4',
        discontinuityMode: 'ON_DISCONTINUITY',
        expiresMs: 300_000,
        fragmentResults: 10,
      },
      LIVE,
      {
        quota: new LocalStreamQuota(systemClock),
        observer: { request: () => {} },
        signal: new AbortController().signal,
      },
    )
    expect(
      Object.keys(emulator.control.counters().cameras['theirs']?.calls ?? {}).toSorted(),
    ).toEqual(['AssumeRole', 'GetDataEndpoint', 'GetHLSStreamingSessionURL'])
    api.close()
    await emulator.close()
    return proxy.asked.length
  }

  test('through the proxy', async () => {
    expect(await open((http) => ({ http }))).toBe(3)
  })

  test('directly without one, or where NO_PROXY says so', async () => {
    expect(await open(() => ({}))).toBe(0)
    expect(await open((http) => ({ http, none: '127.0.0.0/8' }))).toBe(0)
  })
})
