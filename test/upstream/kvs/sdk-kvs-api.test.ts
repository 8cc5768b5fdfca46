import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { UpstreamHosts } from '../../../src/upstream/kvs/hosts.ts'
import { type GrantedSession, LIVE } from '../../../src/upstream/kvs/kvs-api.ts'
import type { KvsSource } from '../../../src/upstream/kvs/kvs-source.ts'
import { LocalStreamQuota } from '../../../src/upstream/kvs/quota.ts'
import { SdkKvsApi } from '../../../src/upstream/kvs/sdk-kvs-api.ts'
import { type SdkOptions, setUpSdk } from '../../../src/upstream/kvs/sdk-setup.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { type KvsStub, type Reply, startKvsStub } from '../support/kvs-stub.ts'
import { failure, outcome } from '../support/outcome.ts'

const TOKEN = `Ci${'tokenTOKEN'.repeat(15)}~`
const ENDPOINT = '/getDataEndpoint'
const SESSION = '/getHLSStreamingSessionURL'

const SOURCE: KvsSource = {
  streamName: 'lobby-camera',
  fragmentSelectorType: 'PRODUCER_TIMESTAMP',
  containerFormat: 'FRAGMENTED_MP4',
  discontinuityMode: 'ON_DISCONTINUITY',
  expiresMs: 300_000,
  fragmentResults: 10,
}

let kvs: KvsStub
let clock: ManualClock
let seen: string[]
let api: SdkKvsApi

beforeEach(async () => {
  for (const name of ['AWS_REGION', 'AWS_DEFAULT_REGION', 'AWS_PROFILE', 'AWS_ENDPOINT_URL'])
    vi.stubEnv(name, undefined)
  for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN'])
    vi.stubEnv(name, undefined)
  vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true')
  vi.stubEnv('AWS_CONFIG_FILE', '/nonexistent')
  vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', '/nonexistent')
  kvs = await startKvsStub()
  kvs.replies[ENDPOINT] = [{ body: { DataEndpoint: kvs.url } }]
  kvs.replies[SESSION] = [{ body: { HLSStreamingSessionURL: sessionUrl(kvs.url) } }]
  clock = new ManualClock()
  seen = []
  api = newApi({ endpoint: kvs.url })
})

afterEach(async () => {
  api.close()
  await kvs.close()
  vi.unstubAllEnvs()
})

function newApi(options: SdkOptions): SdkKvsApi {
  return new SdkKvsApi(clock, () => 0.5, options)
}

function sessionUrl(base: string): string {
  return `${base}/hls/v1/getHLSMasterPlaylist.m3u8?SessionToken=${TOKEN}`
}

function open(source: KvsSource = SOURCE): Promise<GrantedSession> {
  const observer = {
    request: (operation: string, code: string) => seen.push(`${operation} ${code}`),
  }
  const quota = new LocalStreamQuota(clock)
  const signal = new AbortController().signal
  return outcome(clock, api.openSession(source, LIVE, { quota, observer, signal }))
}

const paths = (): string[] => kvs.calls.map(({ path }) => path)

const refusal = (name: string, message: string, status = 400): Reply => ({
  status,
  headers: {
    'x-amzn-ErrorType': `${name}:https://kinesisvideo.amazonaws.com/doc/2017-09-30/`,
    'x-amzn-RequestId': 'abc-123',
  },
  body: { Message: message },
})

test.each(['AWS_USE_DUALSTACK_ENDPOINT', 'AWS_USE_FIPS_ENDPOINT'])(
  'with %s the hosts that are named are asked all the same',
  async (name) => {
    vi.stubEnv(name, 'true')
    await open()
    expect(paths()).toEqual([ENDPOINT, SESSION])
    api.close()

    // The endpoint that the environment names is one, too.
    vi.stubEnv('AWS_ENDPOINT_URL', kvs.url)
    api = new SdkKvsApi(clock, () => 0.5, { region: 'us-west-2' })
    await open()
    expect(paths()).toEqual([ENDPOINT, SESSION, ENDPOINT, SESSION])
  },
)

test('a session is asked for with everything said explicitly', async () => {
  const granted = await open()

  expect(granted.url.reveal().href).toBe(sessionUrl(kvs.url))
  expect(granted.openedAtMs).toBeLessThanOrEqual(clock.now())
  expect(kvs.calls.map(({ path, body }) => [path, body])).toEqual([
    [ENDPOINT, { StreamName: 'lobby-camera', APIName: 'GET_HLS_STREAMING_SESSION_URL' }],
    [
      SESSION,
      {
        StreamName: 'lobby-camera',
        PlaybackMode: 'LIVE',
        HLSFragmentSelector: { FragmentSelectorType: 'PRODUCER_TIMESTAMP' },
        ContainerFormat: 'FRAGMENTED_MP4',
        DiscontinuityMode: 'ON_DISCONTINUITY',
        DisplayFragmentTimestamp: 'ALWAYS',
        Expires: 300,
        MaxMediaPlaylistFragmentResults: 10,
      },
    ],
  ])
  expect(seen).toEqual(['GetDataEndpoint 200', 'GetHLSStreamingSessionURL 200'])
})

test('a stream may be named by its ARN, which also names the region', async () => {
  const { streamName: _, ...rest } = SOURCE
  const streamArn = 'arn:aws:kinesisvideo:eu-central-1:123456789012:stream/lobby/1700000000000'
  await open({ ...rest, streamArn })

  expect(kvs.calls[0]?.body).toEqual({
    StreamARN: streamArn,
    APIName: 'GET_HLS_STREAMING_SESSION_URL',
  })
  expect(kvs.calls[1]?.headers.authorization).toContain('/eu-central-1/kinesisvideo/')
})

describe('the data endpoint', () => {
  test('is asked for once', async () => {
    await open()
    await open()
    expect(paths()).toEqual([ENDPOINT, SESSION, SESSION])
  })

  test.each<[string, Reply | 'reset']>([
    [
      'a 200 without the URL',
      {
        body: {
          Output: { __type: 'com.amazon.coral.service#UnknownOperationException' },
          Version: '1.0',
        },
      },
    ],
    ['a page of HTML', { body: '<html>Not here</html>' }],
    [
      'a refusal to route',
      {
        status: 403,
        body: { message: 'Unable to determine service/operation name to be authorized' },
      },
    ],
    ['a 503', { status: 503 }],
    ['a reset', 'reset'],
  ])('is asked for anew after %s, once', async (_what, reply) => {
    await open()
    kvs.replies[SESSION] = [reply, { body: { HLSStreamingSessionURL: sessionUrl(kvs.url) } }]
    await open()
    expect(paths()).toEqual([ENDPOINT, SESSION, SESSION, ENDPOINT, SESSION])

    kvs.replies[SESSION] = [reply]
    expect(await failure(open())).toMatchObject({ code: 'upstream_unavailable' })
    expect(paths().slice(5)).toEqual([SESSION, ENDPOINT, SESSION])
  })

  test('that is undefined is asked for again', async () => {
    kvs.replies[ENDPOINT] = [{ body: {} }, { body: { DataEndpoint: kvs.url } }]
    await open()
    expect(paths()).toEqual([ENDPOINT, ENDPOINT, SESSION])
  })

  test('is kept while the camera is silent', async () => {
    kvs.replies[SESSION] = [
      refusal(
        'ResourceNotFoundException',
        'No fragments found in the stream for the streaming request.',
        404,
      ),
    ]
    expect(await failure(open())).toMatchObject({ code: 'no_media' })
    expect(await failure(open())).toMatchObject({ code: 'no_media' })
    expect(paths()).toEqual([ENDPOINT, SESSION, SESSION])
  })

  test('may end in a slash', async () => {
    kvs.replies[ENDPOINT] = [{ body: { DataEndpoint: `${kvs.url}/` } }]
    await open()
    expect(paths()).toEqual([ENDPOINT, SESSION])
  })
})

describe('failures', () => {
  test.each([
    [
      'ResourceNotFoundException',
      'The requested stream is not found or not active.',
      404,
      'upstream_stream_not_found',
    ],
    ['NotAuthorizedException', 'no', 401, 'upstream_not_authorized'],
    ['AccessDeniedException', 'User: arn:… is not authorized', 403, 'upstream_not_authorized'],
    [
      'ExpiredTokenException',
      'The security token included in the request is expired',
      403,
      'upstream_not_authorized',
    ],
    ['ClientLimitExceededException', 'slow down', 400, 'upstream_throttled'],
    ['ThrottlingException', 'Rate exceeded', 400, 'upstream_throttled'],
    ['UnsupportedStreamMediaTypeException', 'x', 400, 'upstream_unsupported_media'],
    [
      'MissingCodecPrivateDataException',
      'Missing codec private data in fragment for track 2.',
      400,
      'upstream_codec_private_data',
    ],
    ['InvalidCodecPrivateDataException', 'x', 400, 'upstream_codec_private_data'],
    ['NoDataRetentionException', 'x', 400, 'upstream_no_retention'],
    ['InvalidArgumentException', 'x', 400, 'upstream_unavailable'],
    ['InternalFailure', 'x', 500, 'upstream_unavailable'],
  ])('%s (%s, %i) is %s', async (name, message, status, code) => {
    kvs.replies[SESSION] = [refusal(name, message, status)]
    expect(await failure(open())).toMatchObject({ code, upstreamRequestId: 'abc-123' })
  })

  test('what GetDataEndpoint does not find is the stream', async () => {
    kvs.replies[ENDPOINT] = [refusal('ResourceNotFoundException', 'gone', 404)]
    expect(await failure(open())).toMatchObject({ code: 'upstream_stream_not_found' })
  })

  test('a “not found” in unknown words is settled by asking for the endpoint', async () => {
    kvs.replies[SESSION] = [refusal('ResourceNotFoundException', 'Nothing here.', 404)]
    expect(await failure(open())).toMatchObject({ code: 'no_media' })

    kvs.replies[ENDPOINT] = [refusal('ResourceNotFoundException', 'Nothing here.', 404)]
    expect(await failure(open())).toMatchObject({ code: 'upstream_stream_not_found' })
  })

  test('silence ends at the deadline', async () => {
    kvs.replies[SESSION] = ['hang']
    expect(await failure(open())).toMatchObject({ code: 'upstream_timeout' })
    expect(seen.slice(0, 2)).toEqual([
      'GetDataEndpoint 200',
      'GetHLSStreamingSessionURL upstream_timeout',
    ])
  })

  test('a throttle is asked again after a second or so, a refusal is not', async () => {
    const start = clock.now()
    kvs.replies[SESSION] = [
      refusal('ClientLimitExceededException', ''),
      { body: { HLSStreamingSessionURL: sessionUrl(kvs.url) } },
    ]
    await open()
    expect(clock.now() - start).toBeGreaterThanOrEqual(750)

    const before = kvs.calls.length
    kvs.replies[SESSION] = [refusal('NotAuthorizedException', '', 401)]
    await failure(open())
    expect(kvs.calls).toHaveLength(before + 1)
  })

  test('G16: no failure shows token, endpoint or account', async () => {
    const told = `User: arn:aws:iam::123456789012:user/x; ${sessionUrl('https://b-1234abcd.kinesisvideo.us-west-2.amazonaws.com')}`
    for (const reply of [
      refusal('AccessDeniedException', told, 403),
      { body: told },
      refusal('Strange', told, 500),
    ]) {
      kvs.replies[SESSION] = [reply]
      const error = await failure(open())
      expect(inspect(error, { depth: 20, showHidden: true })).not.toMatch(/tokenTOKEN|b-1234abcd/)
      expect(error.message).not.toContain('123456789012')
    }
  })
})

describe('endpoint overrides', () => {
  test('G17: without one, only KVS data hosts are followed', async () => {
    const { hosts, region } = await setUpSdk({ region: 'us-west-2' })
    expect(hosts).toEqual(new UpstreamHosts(false))
    expect(region).toBe('us-west-2')
  })

  test.each([
    ['an emulator plays STS as well', 'http://127.0.0.1:4566', 'http://127.0.0.1:4566'],
    [
      'a VPC endpoint knows no other service',
      'https://vpce-0123-ab.kinesisvideo.us-west-2.vpce.amazonaws.com',
      undefined,
    ],
    ['without an endpoint AWS decides', undefined, undefined],
  ])('where roles are assumed: %s', async (_what, endpoint, sts) => {
    const { stsEndpoint } = await setUpSdk({ region: 'us-west-2', endpoint })
    expect(stsEndpoint).toBe(sts)
  })

  test.each(['AWS_ENDPOINT_URL', 'AWS_ENDPOINT_URL_KINESIS_VIDEO'])('%s is one', async (name) => {
    vi.stubEnv(name, kvs.url)
    api = newApi({})
    await open()
    expect(paths()).toEqual([ENDPOINT, SESSION])
  })

  test('the shared configuration may hold one', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'aws-'))
    writeFileSync(
      join(folder, 'config'),
      `[default]\nservices = local\n[services local]\nkinesis_video =\n  endpoint_url = ${kvs.url}\n`,
    )
    vi.stubEnv('AWS_CONFIG_FILE', join(folder, 'config'))
    api = newApi({})
    await open()
    rmSync(folder, { recursive: true })
    expect(paths()).toEqual([ENDPOINT, SESSION])
  })

  test('AWS_ENDPOINT_URL_KINESIS_VIDEO_ARCHIVED_MEDIA does not redirect the data endpoint', async () => {
    vi.stubEnv('AWS_ENDPOINT_URL_KINESIS_VIDEO_ARCHIVED_MEDIA', 'http://127.0.0.1:1')
    await open()
    expect(paths()).toEqual([ENDPOINT, SESSION])
  })

  test('on loopback the gateway runs without credentials and region', async () => {
    await open()
    expect(kvs.calls[0]?.headers.authorization).toContain('Credential=placeholder/')
    expect(kvs.calls[0]?.headers.authorization).toContain('/us-east-1/kinesisvideo/')
  })

  test('but uses those that it has', async () => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIDREAL')
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret')
    vi.stubEnv('AWS_REGION', 'ap-southeast-2')
    api = newApi({ endpoint: kvs.url })
    await open()
    expect(kvs.calls[0]?.headers.authorization).toContain('Credential=AKIDREAL/')
    expect(kvs.calls[0]?.headers.authorization).toContain('/ap-southeast-2/')
  })

  test('G17: an endpoint that names something else than a web address is not followed', async () => {
    kvs.replies[ENDPOINT] = [{ body: { DataEndpoint: 'file:///etc' } }]
    expect(await failure(open())).toMatchObject({ code: 'upstream_unavailable' })
    expect(paths()).toEqual([ENDPOINT, ENDPOINT])
  })
})

test('without credentials AWS is not asked', async () => {
  api = newApi({ region: 'us-west-2' })
  expect(await failure(open())).toMatchObject({ code: 'upstream_not_authorized' })
})

test('without a region nothing can be asked', async () => {
  api = newApi({})
  const error = await failure(open())
  expect(error).toMatchObject({ code: 'upstream_unavailable' })
  expect(error.cause).toMatchObject({ message: 'no AWS region is configured' })
})
