import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { redactPlaylist } from '../../src/trace/redact-playlist.ts'
import type { KvsObservations } from '../../src/trace/trace.ts'
import { readTrace, TraceError, writeTrace } from '../../src/trace/trace-file.ts'

const TOKEN = `Ci${'aB3-_x'.repeat(25)}~~`
const HOST = 'b-1234abcd.kinesisvideo.us-west-2.amazonaws.com'
const ACCOUNT = '210987654321'
const KEY = 'ASIAQWERTYUIOPASDFGH'

/** Whatever must not be in a trace. */
const secrets = fc.constantFrom(
  TOKEN,
  HOST,
  ACCOUNT,
  KEY,
  'cameras.customer.example',
  'proxy.corp.internal:3128',
  '10.1.2.3',
  '2001:db8::17',
  'viewer@customer.example',
  'wJalrXUtnFEMIaK7MDENGabPxRfiCYzzzzzzzzzz',
)

/** Texts as AWS, Node and proxies write them, with a secret in it. */
const texts = fc
  .tuple(
    secrets,
    fc.constantFrom(
      (secret: string) => secret,
      (secret: string) => `connect ECONNREFUSED ${secret}`,
      (secret: string) => `Host: ${secret}.`,
      (secret: string) => `https://${secret}/hls/v1/x?SessionToken=${TOKEN}`,
      (secret: string) => `(${secret})`,
      (secret: string) => `"${secret}"`,
      (secret: string) =>
        `User: arn:aws:sts::${ACCOUNT}:assumed-role/viewer/${KEY} is not authorized to perform: kinesisvideo:ListFragments on resource: ${secret}`,
    ),
  )
  .map(([secret, around]) => ({ secret, text: around(secret) }))

const PLAYLIST = `#EXTM3U
#EXT-X-VERSION:7
#EXT-X-TARGETDURATION:2
#EXT-X-MEDIA-SEQUENCE:1
#EXT-X-MAP:URI="getMP4InitFragment.mp4?SessionToken=${TOKEN}&TrackNumber=1&SequenceNumber=0"
#EXT-X-PROGRAM-DATE-TIME:2026-01-28T07:00:35.931Z
#EXTINF:1.857,
getMP4MediaFragment.mp4?FragmentNumber=91343852333185057105875891022195998207386831087&SessionToken=${TOKEN}&TrackNumber=1
`

function observations(overrides: Partial<KvsObservations> = {}): KvsObservations {
  return {
    kind: 'kvs',
    takenMs: Date.UTC(2026, 0, 28),
    settings: {
      identity: 'name',
      region: 'us-west-2',
      fragmentSelectorType: 'PRODUCER_TIMESTAMP',
      containerFormat: 'FRAGMENTED_MP4',
      discontinuityMode: 'ON_DISCONTINUITY',
      expiresS: 43_200,
      fragmentResults: 10,
    },
    use: { always: false, dvrMs: 0, archive: true },
    proxy: false,
    isCut: false,
    calls: [],
    ...overrides,
  }
}

const call = { operation: 'DescribeStream', atMs: 12, tookMs: 34 }

describe('G16: a trace', () => {
  test('holds no secret, wherever one stands', () => {
    fc.assert(
      fc.property(texts, texts, ({ secret, text }, other) => {
        const written = writeTrace([
          observations({
            calls: [
              {
                ...call,
                detail: text,
                fault: { name: text, message: `${other.text} ${text}`, action: other.text },
                headers: { [text]: other.text, 'content-type': text },
              },
            ],
            described: { status: text, retentionHours: 24, mediaType: text, ownKey: false },
            elsewhere: [text],
            tier: text,
            settings: { ...observations().settings, region: text },
            matroska: [
              {
                number: '1',
                tracks: [
                  {
                    number: 1,
                    type: 'video',
                    codecId: text,
                    privateBytes: 0,
                    startCode: false,
                    blocks: [],
                  },
                ],
              },
            ],
            session: {
              master: { atMs: 1, text: `#EXTM3U\n#EXT-X-STREAM-INF:NAME="${secret}"\n${text}` },
              renditions: [
                {
                  name: 'video',
                  playlists: [
                    { atMs: 1, text: `#EXTM3U\n# ${secret}\n#EXTINF:1,${text}\n${secret}` },
                  ],
                  inits: [{ boxes: [], codec: text, problem: text }],
                  media: [{ bytes: 1, boxes: [], problem: text }],
                },
              ],
            },
          }),
        ])
        for (const hidden of [secret, other.secret, ACCOUNT, KEY, TOKEN]) {
          expect(written).not.toContain(hidden)
        }
      }),
    )
  })

  test('says the same when it is redacted again', () => {
    fc.assert(
      fc.property(texts, ({ text }) => {
        const written = writeTrace([
          observations({ calls: [{ ...call, fault: { name: 'X', message: text } }] }),
        ])
        const [stream] = readTrace(written).streams
        expect(stream && writeTrace([stream.observations])).toBe(written)
      }),
    )
  })
})

test('what tells about media stays', () => {
  const session = {
    renditions: [
      {
        name: 'video' as const,
        playlists: [{ atMs: 7, text: PLAYLIST }],
        inits: [
          {
            boxes: [{ type: 'moov', size: 600, children: [{ type: 'mvhd', size: 108 }] }],
            codec: 'hvc1.1.6.L93.B0',
            timescale: 90_000,
          },
        ],
        media: [],
      },
    ],
  }
  const headers = { 'content-type': 'application/vnd.apple.mpegurl' }
  const [stream] = readTrace(
    writeTrace([observations({ session, calls: [{ ...call, headers }] })]),
  ).streams
  expect(stream?.name).toBe('stream-1')
  expect(stream?.observations).toMatchObject({
    calls: [{ headers }],
    session: { renditions: [{ inits: session.renditions[0]?.inits }] },
  })
})

test('a playlist keeps its tags and what its URIs ask for', () => {
  expect(redactPlaylist(PLAYLIST)).toBe(PLAYLIST.replaceAll(TOKEN, 'token'))
})

test('an origin’s playlist keeps no name and no key', () => {
  const master = `#EXTM3U
#EXT-X-SESSION-DATA:DATA-ID="com.customer",VALUE="x"
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="stereo",NAME="Hall of customer",URI="https://cdn.customer.example/a.m3u8?k=1"
#EXT-X-STREAM-INF:BANDWIDTH=1000,CODECS="avc1.4d4029,mp4a.40.2",RESOLUTION=640x360,AUDIO="stereo"
//cdn.customer.example/video.m3u8?key=secret
`
  expect(redactPlaylist(master)).toBe(`#EXTM3U
#EXT-X-SESSION-DATA:
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="audio",NAME="audio",URI="uri.m3u8"
#EXT-X-STREAM-INF:BANDWIDTH=1000,CODECS="avc1.4d4029,mp4a.40.2",RESOLUTION=640x360,AUDIO="audio"
uri.m3u8
`)
})

test.each([
  ['no JSON', 'hello'],
  ['another version', '{"trace": 99, "program": "9", "streams": []}'],
  ['something else', '[]'],
])('a file that is %s is refused', (_, text) => {
  expect(() => readTrace(text)).toThrow(TraceError)
})
