import {
  DescribeStreamCommand,
  DescribeStreamStorageConfigurationCommand,
  GetDataEndpointCommand,
  ListStreamsCommand,
  ListTagsForStreamCommand,
} from '@aws-sdk/client-kinesis-video'
import {
  GetHLSStreamingSessionURLCommand,
  ListFragmentsCommand,
} from '@aws-sdk/client-kinesis-video-archived-media'
import { ProxyAgent, request } from 'undici'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { causes, causesConfig } from '../../src/emulator/causes.ts'
import {
  controlClient,
  get,
  links,
  mediaClient,
  NOON,
  playlistUrl,
  type Rig,
  rig,
} from './support/client.ts'

/** One for all: a camera for each cause. */
let it: Rig
beforeAll(async () => {
  it = await rig({
    date: () => Date.now(),
    config: causesConfig(Object.keys(causes(NOON)), NOON),
  })
})
afterAll(() => it[Symbol.asyncDispose]())

/** What a call answers, or the name and text of its refusal. */
async function outcome<T>(call: Promise<T>): Promise<T | { error: string; text: string }> {
  try {
    return await call
  } catch (error) {
    if (!(error instanceof Error)) throw error
    return { error: error.name, text: error.message }
  }
}

type Name = { readonly StreamName: string }
const streamOf = (cause: string): Name => ({ StreamName: `cause-${cause}` })
const describeIt = (cause: string) =>
  outcome(controlClient(it.emulator.url).send(new DescribeStreamCommand(streamOf(cause))))
const endpointOf = (cause: string) =>
  outcome(
    controlClient(it.emulator.url).send(
      new GetDataEndpointCommand({ ...streamOf(cause), APIName: 'LIST_FRAGMENTS' }),
    ),
  )
const tierOf = (cause: string) =>
  outcome(
    controlClient(it.emulator.url).send(
      new DescribeStreamStorageConfigurationCommand(streamOf(cause)),
    ),
  )
const sessionOf = (cause: string) =>
  outcome(mediaClient(it.emulator.url).send(new GetHLSStreamingSessionURLCommand(streamOf(cause))))

interface Listed {
  readonly number: bigint
  readonly producerMs: number
  readonly serverMs: number
  readonly lengthMs: number
}

/** The fragments of the last minutes, by number. */
async function listed(cause: string, minutes = 5): Promise<readonly Listed[]> {
  const { Fragments = [] } = await mediaClient(it.emulator.url).send(
    new ListFragmentsCommand({
      ...streamOf(cause),
      MaxResults: 1000,
      FragmentSelector: {
        FragmentSelectorType: 'SERVER_TIMESTAMP',
        TimestampRange: {
          StartTimestamp: new Date(NOON - minutes * 60_000),
          EndTimestamp: new Date(NOON),
        },
      },
    }),
  )
  return Fragments.map((fragment) => ({
    number: BigInt(fragment.FragmentNumber ?? 0),
    producerMs: fragment.ProducerTimestamp?.getTime() ?? 0,
    serverMs: fragment.ServerTimestamp?.getTime() ?? 0,
    lengthMs: fragment.FragmentLengthInMilliseconds ?? 0,
  })).toSorted((a, b) => (a.number < b.number ? -1 : 1))
}

const steps = (values: readonly number[]): readonly number[] =>
  values.slice(1).map((value, i) => value - (values[i] ?? 0))
const producerSteps = async (cause: string): Promise<readonly number[]> =>
  steps((await listed(cause)).map(({ producerMs }) => producerMs))
/** How long after their making fragments began to arrive. */
const delays = async (cause: string): Promise<readonly number[]> =>
  (await listed(cause)).map(({ producerMs, serverMs }) => serverMs - producerMs)

const denied = (action: string, end = ''): object => ({
  error: 'AccessDeniedException',
  text: expect.stringMatching(
    new RegExp(
      `^User: arn:aws:iam::123456789012:user/viewer is not authorized to perform: ${action} on resource: arn:aws:[^ ]+${end}$`,
    ),
  ) as unknown,
})
const FOUND = { $metadata: { httpStatusCode: 200 } }
const NOT_FOUND = { error: 'ResourceNotFoundException' }

test('a healthy camera is', async () => {
  expect(await describeIt('healthy')).toMatchObject({
    StreamInfo: { Status: 'ACTIVE', DataRetentionInHours: 24 },
  })
  expect(await tierOf('healthy')).toMatchObject({
    StreamStorageConfiguration: { DefaultStorageTier: 'HOT' },
  })
  expect(await sessionOf('healthy')).toMatchObject(FOUND)
  expect(new Set(await producerSteps('healthy'))).toEqual(new Set([2000]))
})

/** What a cause shows as, by who is asked. KVS.md, sections 7.1 and 7.2. */
const REFUSED: readonly (readonly [
  cause: string,
  call: (cause: string) => Promise<unknown>,
  shown: object,
])[] = [
  ['denied-get-data-endpoint', endpointOf, denied('kinesisvideo:GetDataEndpoint')],
  ['denied-describe-stream', describeIt, denied('kinesisvideo:DescribeStream')],
  [
    'denied-get-hls-streaming-session-url',
    sessionOf,
    denied('kinesisvideo:GetHLSStreamingSessionURL'),
  ],
  [
    'denied-list-fragments',
    (cause) => outcome(listed(cause)),
    denied('kinesisvideo:ListFragments'),
  ],
  [
    'denied-describe-stream-storage-configuration',
    tierOf,
    denied('kinesisvideo:DescribeStreamStorageConfiguration'),
  ],
  [
    'denied-by-scp',
    (cause) => outcome(listed(cause)),
    denied('kinesisvideo:ListFragments', ' with an explicit deny in a service control policy'),
  ],
  [
    'denied-by-session-policy',
    sessionOf,
    denied(
      'kinesisvideo:GetHLSStreamingSessionURL',
      ' because no session policy allows the kinesisvideo:GetHLSStreamingSessionURL action',
    ),
  ],
  [
    'denied-by-boundary',
    sessionOf,
    denied('kinesisvideo:GetHLSStreamingSessionURL', ' because no permissions boundary .*'),
  ],
  ['other-account', describeIt, denied('kinesisvideo:DescribeStream')],
  ['expired-credentials', describeIt, { error: 'ExpiredTokenException' }],
  ['unknown-credentials', describeIt, { error: 'UnrecognizedClientException' }],
  ['wrong-secret', describeIt, { error: 'InvalidSignatureException' }],
  [
    'gateway-clock',
    describeIt,
    {
      error: 'InvalidSignatureException',
      text: expect.stringContaining('Signature expired: ') as unknown,
    },
  ],
  ['kms-denied', sessionOf, denied('kms:Decrypt')],
  ['kms-key-disabled', sessionOf, { error: 'NotAuthorizedException' }],
  ['wrong-region', describeIt, NOT_FOUND],
  ['wrong-name', describeIt, NOT_FOUND],
  ['not-active', sessionOf, NOT_FOUND],
  ['not-active', describeIt, { StreamInfo: { Status: 'DELETING' } }],
  ['no-retention', sessionOf, { error: 'NoDataRetentionException' }],
  ['no-retention', describeIt, { StreamInfo: { DataRetentionInHours: 0 } }],
  ['warm-tier', tierOf, { StreamStorageConfiguration: { DefaultStorageTier: 'WARM' } }],
  ['no-private-data', sessionOf, { error: 'MissingCodecPrivateDataException' }],
  [
    'no-sound-private-data',
    sessionOf,
    { text: 'Missing codec private data in fragment for track 2.' },
  ],
  ['invalid-private-data', sessionOf, { error: 'InvalidCodecPrivateDataException' }],
  ['annex-b', sessionOf, { error: 'InvalidCodecPrivateDataException' }],
  ['unsupported-pictures', sessionOf, { error: 'UnsupportedStreamMediaTypeException' }],
  ['g711-sound', sessionOf, { error: 'UnsupportedStreamMediaTypeException' }],
  ['pcm-sound', sessionOf, { error: 'UnsupportedStreamMediaTypeException' }],
  ['reader-takes-calls', describeIt, { error: 'ClientLimitExceededException' }],
  ['reader-takes-calls', sessionOf, { error: 'ClientLimitExceededException' }],
  ['account-throttled', endpointOf, { error: 'ClientLimitExceededException' }],
  ['data-host-refused', endpointOf, { DataEndpoint: 'http://127.0.0.1:2' }],
  ['captive-page', describeIt, { error: 'SyntaxError' }],
  ['proxy-login', describeIt, { error: 'SyntaxError' }],
  ['connections-reset', describeIt, { error: 'TimeoutError' }],
  ['producer-silent', sessionOf, NOT_FOUND],
  ['never-any-data', sessionOf, NOT_FOUND],
]

test.each(REFUSED)('%s shows', async (cause, call, shown) => {
  expect(await call(cause)).toMatchObject(shown)
})

test('a clock that is off shows in the Date of a refusal', async () => {
  const { headers } = await fetch(`${it.emulator.url}/describeStream`, {
    method: 'POST',
    body: JSON.stringify(streamOf('gateway-clock')),
  })
  const aheadMs = Date.parse(headers.get('date') ?? '') - Date.now()
  expect(Math.round(aheadMs / 60_000)).toBe(10)
})

test('a data host that only the proxy knows is reached through it', async () => {
  const answer = (await endpointOf('proxy-needed')) as { DataEndpoint?: string }
  const url = answer.DataEndpoint ?? ''
  expect(url).toBe('http://b-e0e0e0e0.kinesisvideo.us-west-2.invalid')
  await expect(fetch(`${url}/control/cameras`)).rejects.toThrow('fetch failed')
  for (const proxyTunnel of [true, false]) {
    const dispatcher = new ProxyAgent({ uri: it.emulator.url, proxyTunnel })
    const through = await request(`${url}/control/cameras`, { dispatcher })
    expect(through.statusCode).toBe(200)
    await through.body.dump()
    await dispatcher.close()
  }
})

test('a data host that is silent is given up by who asks', async () => {
  const signal = AbortSignal.timeout(50)
  const url = `${it.emulator.url}/listFragments`
  const body = JSON.stringify(streamOf('data-host-silent'))
  await expect(fetch(url, { method: 'POST', body, signal })).rejects.toThrow('timeout')
})

describe('what ListFragments shows', () => {
  test('long-fragments and long-gop', async () => {
    expect((await listed('long-fragments')).at(-1)?.lengthMs).toBe(11_960)
    expect(await producerSteps('long-gop')).toContain(40_000)
    expect((await listed('long-gop')).at(-1)?.lengthMs).toBe(19_900)
  })

  test('short-fragments are more than KVS takes in a second', async () => {
    expect((await listed('short-fragments', 1)).length).toBeGreaterThan(100)
  })

  test('gaps', async () => {
    expect(new Set(await producerSteps('gaps'))).toEqual(new Set([2000, 4000]))
    expect(new Set(await producerSteps('silent-track'))).toEqual(new Set([2000, 4000]))
  })

  test('producers with clocks of their own', async () => {
    const off = async (cause: string): Promise<number> =>
      Math.round(((await delays(cause)).at(-1) ?? 0) / 60_000)
    expect(await off('producer-behind')).toBe(10)
    expect(await off('producer-ahead')).toBe(-10)
    const [first] = await listed('producer-from-zero', 59)
    expect(first?.producerMs).toBeLessThan(3_600_000)
    const drifting = await delays('producer-drifts')
    expect((drifting[0] ?? 0) - (drifting.at(-1) ?? 0)).toBeGreaterThan(2500)
  })

  test('two producers are interleaved', async () => {
    expect(new Set(await producerSteps('two-producers'))).toEqual(new Set([1500, 2500]))
  })

  test('a slow uplink: later and later, then a gap', async () => {
    const late = await delays('slow-uplink')
    expect(Math.max(...late)).toBeGreaterThan(7000)
    expect(steps(late).filter((step) => step > 0).length).toBeGreaterThan(50)
    expect(await producerSteps('slow-uplink')).toContain(10_000)
  })

  test('reconnects: the counter in FragmentNumber jumps', async () => {
    const counters = (await listed('reconnects')).map(({ number }) =>
      Number((number >> 92n) & 0xffffn),
    )
    expect(steps(counters).filter((step) => step > 1).length).toBeGreaterThan(20)
  })

  test('a silent producer and one that never sent', async () => {
    const silent = await listed('producer-silent')
    expect(NOON - (silent.at(-1)?.serverMs ?? 0)).toBeGreaterThan(60_000)
    expect(await listed('never-any-data', 10)).toEqual([])
  })
})

test('a session shows sound that is late, and key frames that are', async () => {
  const video = await firstTicks('sound-offset', 1)
  const audio = await firstTicks('sound-offset', 2)
  expect(audio / 48_000 - video / 90_000).toBeGreaterThan(1)
  expect(await firstSampleIsKey('healthy')).toBe(true)
  expect(await firstSampleIsKey('late-key-frames')).toBe(false)
})

async function fragmentOf(cause: string, track: number): Promise<Buffer> {
  const session = (await sessionOf(cause)) as { HLSStreamingSessionURL?: string }
  const url = playlistUrl(session.HLSStreamingSessionURL ?? '', track)
  const { text } = await get(url)
  return (await get(links(text, url, 'getMP4MediaFragment').at(-1) ?? '')).bytes
}

async function firstTicks(cause: string, track: number): Promise<number> {
  const bytes = await fragmentOf(cause, track)
  return Number(bytes.readBigUInt64BE(bytes.indexOf('tfdt') + 8))
}

async function firstSampleIsKey(cause: string): Promise<boolean> {
  const bytes = await fragmentOf(cause, 1)
  return (bytes.readUInt32BE(bytes.indexOf('trun') + 4 + 4 + 4 + 4 + 8) & 0x10000) === 0
}

test('the account’s streams are listed by prefix and page', async () => {
  const list = (input: object) => controlClient(it.emulator.url).send(new ListStreamsCommand(input))
  const prefix = { ComparisonOperator: 'BEGINS_WITH', ComparisonValue: 'lobby' } as const
  const { StreamInfoList = [] } = await list({ StreamNameCondition: prefix })
  expect(StreamInfoList.map(({ StreamName }) => StreamName)).toEqual(['lobby-camera'])
  const first = await list({ MaxResults: 3 })
  const second = await list({ MaxResults: 3, NextToken: first.NextToken })
  expect(first.StreamInfoList).toHaveLength(3)
  expect(second.StreamInfoList?.[0]?.StreamName).not.toBe(first.StreamInfoList?.[0]?.StreamName)
})

test('tags are told', async () => {
  it.emulator.control.addCamera('tagged', { tags: { site: '7' } })
  const answer = controlClient(it.emulator.url).send(
    new ListTagsForStreamCommand({ StreamName: 'tagged' }),
  )
  expect((await answer).Tags).toEqual({ site: '7' })
})
