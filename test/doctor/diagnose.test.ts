import { describe, expect, test } from 'vitest'
import { CAUSES, type CauseCode } from '../../src/doctor/diagnosis/causes.ts'
import { diagnose } from '../../src/doctor/diagnosis/diagnose.ts'
import type { KvsObservations, Observations } from '../../src/trace/trace.ts'
import { readTrace, writeTrace } from '../../src/trace/trace-file.ts'
import { call, listing, observed, observedOrigin, refused } from './observed.ts'

const codesOf = (observations: Observations): readonly string[] =>
  diagnose(observations)
    .map(({ code }) => code)
    .filter((code) => code !== 'ok')

/** The calls of a look that ended with this one. */
const endingWith = (...calls: KvsObservations['calls']): Partial<KvsObservations> => ({
  calls: [call('Credentials'), ...calls],
})

const session = (
  media: NonNullable<KvsObservations['session']>['renditions'][number]['media'],
  durationS = 2,
): Partial<KvsObservations> => ({
  session: {
    master: {
      atMs: 0,
      text: '#EXTM3U\n#EXT-X-STREAM-INF:CODECS="avc1.4d4029",BANDWIDTH=1000\nuri.m3u8\n',
    },
    renditions: [
      {
        name: 'video',
        playlists: [
          {
            atMs: 0,
            text: `#EXTM3U\n#EXT-X-TARGETDURATION:${durationS}\n#EXTINF:${durationS},\nuri.mp4\n`,
          },
        ],
        inits: [{ boxes: [], rendition: 'video', codec: 'avc1.4d4029', timescale: 1000 }],
        media,
      },
    ],
  },
})

const NETWORK: readonly [string, CauseCode, Partial<KvsObservations>][] = [
  [
    'no region',
    'no_region',
    {
      settings: { ...observed().settings, region: null },
      calls: [refused('Credentials', undefined, 'GatewayError', 'no AWS region is configured')],
    },
  ],
  [
    'no credentials',
    'no_credentials',
    {
      calls: [
        refused(
          'Credentials',
          undefined,
          'CredentialsProviderError',
          'Could not load credentials from any providers',
        ),
      ],
    },
  ],
  [
    'an SSO session that has expired',
    'credentials_expired',
    {
      calls: [
        refused(
          'Credentials',
          undefined,
          'CredentialsProviderError',
          'The SSO session has expired or is otherwise invalid',
        ),
      ],
    },
  ],
  [
    'temporary credentials that have expired',
    'credentials_expired',
    {
      credentials: { kind: 'temporary', role: false, leftMs: -60_000 },
    },
  ],
  [
    'STS that is not reached',
    'control_unreachable',
    {
      calls: [refused('Credentials', undefined, 'ETIMEDOUT')],
    },
  ],
  [
    'a clock that is a little late',
    'clock_late',
    {
      calls: observed().calls.map((one) => ({ ...one, aheadMs: 20_000 })),
    },
  ],
  [
    'a control host that does not answer',
    'control_unreachable',
    endingWith(refused('DescribeStream', undefined, 'DeadlineError')),
  ],
  [
    'a control host that DNS does not know',
    'proxy_needed',
    endingWith(refused('DescribeStream', undefined, 'ENOTFOUND')),
  ],
  [
    'a proxy that is not reached',
    'proxy_refuses',
    {
      ...endingWith(refused('DescribeStream', undefined, 'ECONNREFUSED')),
      proxy: true,
      control: { kind: 'aws', ipv4: 0, ipv6: 0, isPrivate: false, viaProxy: true },
    },
  ],
  [
    'a proxy that refuses',
    'proxy_refuses',
    endingWith(refused('DescribeStream', 407, 'SyntaxError')),
  ],
  [
    'a proxy that opens no tunnel',
    'proxy_refuses',
    endingWith(refused('DescribeStream', undefined, 'ERR', 'Failed to establish tunnel')),
  ],
  [
    'a page in AWS’s place',
    'stranger_answers',
    endingWith(refused('DescribeStream', 200, 'SyntaxError')),
  ],
  [
    'a certificate that is not AWS’s',
    'tls_intercepted',
    endingWith(refused('DescribeStream', undefined, 'SELF_SIGNED_CERT_IN_CHAIN')),
  ],
  [
    'another service',
    'wrong_endpoint',
    endingWith(refused('DescribeStream', 200, 'UnknownOperationException')),
  ],
  [
    'a service that fails',
    'kvs_failing',
    endingWith(refused('DescribeStream', 503, 'ServiceUnavailable')),
  ],
  [
    'a stream of another account, by ARN',
    'other_account',
    {
      calls: [
        call('Credentials'),
        {
          ...refused('GetDataEndpoint', 403, 'AccessDeniedException'),
          fault: {
            name: 'AccessDeniedException',
            message: '',
            action: 'kinesisvideo:GetDataEndpoint',
            crossAccount: true,
          },
        },
      ],
    },
  ],
  [
    'a session that is refused in words nobody knows',
    'session_refused',
    {
      calls: [
        ...observed().calls,
        refused('GetHLSStreamingSessionURL', 400, 'InvalidArgumentException'),
      ],
    },
  ],
  [
    'playlists that are no playlists',
    'playlist_unreadable',
    {
      calls: [...observed().calls, call('GetHLSMasterPlaylist')],
      session: { master: { atMs: 0, text: 'hello' }, renditions: [] },
    },
  ],
  [
    'a fragment that is refused',
    'fragment_unreadable',
    {
      calls: [
        ...observed().calls,
        refused('GetMP4MediaFragment', 404, 'ResourceNotFoundException'),
      ],
    },
  ],
  [
    'a fragment that cannot be read',
    'fragment_unreadable',
    {
      calls: [...observed().calls, call('GetMP4MediaFragment')],
      ...session([{ bytes: 1, boxes: [], problem: 'no moof' }]),
    },
  ],
  [
    'fragments that come slower than they last',
    'slow_download',
    {
      calls: [...observed().calls, call('GetMP4MediaFragment', { bytes: 5e6, tookMs: 3500 })],
      ...session([{ bytes: 1, boxes: [] }]),
    },
  ],
  [
    'tracks that changed within a session',
    'track_change',
    {
      calls: [
        ...observed().calls,
        refused('GetMP4MediaFragment', 400, 'UnsupportedStreamMediaTypeException'),
      ],
    },
  ],
  ['a look that was cut short', 'unfinished', { isCut: true }],
]

const MEDIA: readonly [string, CauseCode, Partial<KvsObservations>][] = [
  [
    'a DVR window that is longer than what is kept',
    'short_retention',
    {
      use: { always: false, dvrMs: 48 * 3_600_000, archive: true },
    },
  ],
  ['the warm tier with short fragments', 'warm_short_fragments', { tier: 'WARM' }],
  [
    'a camera that has stopped',
    'producer_silent',
    { listing: listing((i) => (i < 40 ? {} : null)) },
  ],
  [
    'a camera that has sent nothing for minutes',
    'producer_silent',
    {
      listing: { ...listing(), fragments: [] },
      recorded: true,
    },
  ],
  [
    'a camera that has never sent',
    'never_recorded',
    {
      listing: { ...listing(), fragments: [] },
      recorded: false,
    },
  ],
  [
    'fragments that are too long, of one GOP',
    'long_gop',
    session([{ bytes: 1, boxes: [], baseTicks: 0, durationTicks: 20_000, syncAtMs: [0] }], 20),
  ],
  [
    'fragments that are too long, of many GOPs',
    'long_fragments',
    session(
      [
        {
          bytes: 1,
          boxes: [],
          baseTicks: 0,
          durationTicks: 12_000,
          syncAtMs: [0, 2000, 4000, 6000, 8000, 10_000],
        },
      ],
      12,
    ),
  ],
  ['fragments that are too short', 'short_fragments', session([], 0.5)],
  [
    'fragments that begin without a key frame',
    'first_not_key',
    session([{ bytes: 1, boxes: [], baseTicks: 0, durationTicks: 2000, syncAtMs: [400] }]),
  ],
  ['a quota that is near', 'quota_near', session([], 0.08)],
  [
    'a clock that is behind',
    'producer_clock_behind',
    { listing: listing(() => ({ producerMs: -60_000 })) },
  ],
  [
    'a clock that is ahead',
    'producer_clock_ahead',
    { listing: listing(() => ({ producerMs: 60_000 })) },
  ],
  [
    'a clock that drifts',
    'producer_clock_drifts',
    { listing: listing((i) => ({ producerMs: i * 6 })) },
  ],
  [
    'a clock that is set',
    'producer_clock_jumps',
    { listing: listing((i) => ({ producerMs: i < 30 ? 0 : 3000 })) },
  ],
  [
    'a clock that counts from 1970',
    'producer_clock_1970',
    { listing: listing(() => ({ producerMs: -Date.UTC(2026) })) },
  ],
  [
    'an uplink that is too slow',
    'uplink_slow',
    { listing: listing((i) => ({ serverMs: (i % 30) * 300 })) },
  ],
  [
    'two producers',
    'two_producers',
    { listing: listing((i) => ({ producerMs: (i % 2) * -700, connection: i % 2 })) },
  ],
  [
    'fragments that overlap',
    'overlaps',
    { listing: listing((i) => ({ producerMs: i === 20 ? -500 : 0 })) },
  ],
  ['fragments that are missing', 'gaps', { listing: listing((i) => (i % 5 === 4 ? null : {})) }],
  [
    'a producer that connects again and again',
    'reconnects',
    { listing: listing((i) => ({ connection: Math.floor(i / 10) })) },
  ],
]

describe('the doctor names', () => {
  test.each([...NETWORK, ...MEDIA])('%s', (_, code, overrides) => {
    expect(codesOf(observed(overrides))).toContain(code)
  })

  test.each([
    [
      'an origin that is not reached',
      'origin_unreachable',
      refused('playlist', undefined, 'ECONNREFUSED'),
    ],
    ['an origin that refuses', 'origin_refuses', refused('playlist', 403, 'UpstreamAnswerError')],
    ['an origin without a playlist', 'origin_list_unreadable', call('playlist')],
  ])('%s', (_, code, one) => {
    expect(codesOf(observedOrigin({ calls: [one] }))).toEqual([code])
  })
})

test('nothing is wrong where all went well', () => {
  expect(codesOf(observed())).toEqual([])
})

test('a trace says what the look said', () => {
  for (const [, , overrides] of [...NETWORK, ...MEDIA]) {
    const one = observed(overrides)
    const [stream] = readTrace(writeTrace([one])).streams
    expect(stream && diagnose(stream.observations)).toEqual(diagnose(one))
  }
})

test.each([
  ['an uneven network', listing((i) => ({ serverMs: (i % 2) * 80 }))],
  ['one new connection', listing((i) => ({ connection: i < 30 ? 0 : 1 }))],
  ['a good clock', listing((i) => ({ producerMs: i * 0.1 }))],
  ['a single fragment', listing(() => ({}), { count: 1 })],
])('%s is nothing to be told', (_, one) => {
  expect(codesOf(observed({ listing: one }))).toEqual([])
})

test('by the server’s clock, a producer that counts from 1970 is only told', () => {
  const settings = { ...observed().settings, fragmentSelectorType: 'SERVER_TIMESTAMP' as const }
  const one = observed({ settings, listing: listing(() => ({ producerMs: -Date.UTC(2026) })) })
  expect(diagnose(one).find(({ code }) => code === 'producer_clock_1970')?.level).toBe('warn')
})

test('what is missing of a policy is given as a statement', () => {
  const denied = {
    ...refused('ListFragments', 403, 'AccessDeniedException'),
    fault: { name: 'AccessDeniedException', message: '', action: 'kinesisvideo:ListFragments' },
  }
  const settings = { ...observed().settings, region: 'cn-north-1' }
  const one = observed({ settings, calls: [...observed().calls, denied] })
  const { todo = '' } = diagnose(one).find(({ code }) => code === 'action_missing') ?? {}
  expect(JSON.parse(todo.slice(todo.indexOf('{')))).toEqual({
    Effect: 'Allow',
    Action: 'kinesisvideo:ListFragments',
    Resource: 'arn:aws-cn:kinesisvideo:cn-north-1:*:stream/STREAM/*',
  })
})

test('who may do nothing is given one statement for all that is needed', () => {
  const denied = (operation: string) => ({
    ...refused(operation, 403, 'AccessDeniedException'),
    fault: { name: 'AccessDeniedException', message: '', action: `kinesisvideo:${operation}` },
  })
  const one = observed({
    described: undefined,
    listing: undefined,
    calls: [call('Credentials'), denied('DescribeStream'), denied('GetDataEndpoint')],
  })
  const { todo = '' } = diagnose(one).find(({ code }) => code === 'action_missing') ?? {}
  expect(JSON.parse(todo.slice(todo.indexOf('{')))).toMatchObject({
    Action: [
      'kinesisvideo:GetDataEndpoint',
      'kinesisvideo:GetHLSStreamingSessionURL',
      'kinesisvideo:ListFragments',
    ],
  })
})

test('every cause says what to do', () => {
  for (const { todo } of Object.values(CAUSES)) expect(todo).toMatch(/^\p{Lu}.{20,}[.}A-Z]$/su)
})
