/**
 * The configuration file: every key with its type, default and documentation, in one table.
 *
 * `config/gateway.schema.json` is made from it (`node config/make-schema.ts`), and
 * `config/gateway.example.yaml` is tested against it. Keys and defaults are public: a change of
 * either needs a line in the CHANGELOG. Defaults are written as an operator would write them.
 */
import { z } from 'zod'
import { EVENT_TYPES } from '../base/event-types.ts'
import { isLoopback } from '../base/loopback.ts'
import { parseRedisUrl } from '../base/redis-url.ts'
import { auth } from './auth-schema.ts'
import { isQuick, isRegExp } from './name-pattern.ts'
import {
  amount,
  choice,
  duration,
  exactlyOne,
  flag,
  HEADER_NAME,
  integer,
  list,
  names,
  section,
  share,
  size,
  text,
  url,
  wholeSeconds,
} from './values.ts'

// kvs-hls: StreamName and StreamARN as the KVS API model has them.
const KVS_NAME = /^[a-zA-Z0-9_.-]{1,256}$/
const KVS_ARN = /^arn:aws[a-z-]*:kinesisvideo:[a-z0-9-]+:[0-9]+:[a-z]+\/[a-zA-Z0-9_.-]+\/[0-9]+$/
const ROLE_ARN = /^arn:aws[a-z-]*:iam::[0-9]{12}:role\/[\w+=,.@/-]+$/
const KVS_NAME_TEMPLATE = /^(?:[a-zA-Z0-9_.-]|\{name\})+$/

// `.` and `..` would vanish from a URL path before any server saw them.
const PUBLIC_NAME = /^(?!\.{1,2}$)[A-Za-z0-9_.-]{1,256}$/
const PUBLIC_NAME_PHRASE = 'a stream name of 1 to 256 of A–Z a–z 0–9 _ . -'

const HEADER_VALUE = /^[\t\x20-\x7e]*$/

const tls = section({
  cert: text('a file').optional().describe('The certificate and those that it is signed by, PEM.'),
  key: text('a file').optional().describe('Its private key, PEM.'),
})
  .superRefine(({ cert, key }, context) => {
    if ((cert === undefined) === (key === undefined)) return
    const path = [cert === undefined ? 'cert' : 'key']
    context.addIssue({ code: 'custom', path, message: 'a file, because the other one is given' })
  })
  .transform(({ cert, key }) =>
    cert === undefined || key === undefined ? undefined : { cert, key },
  )

const server = section({
  host: text('a host name or an IP address', /^[^\s/]+$/)
    .prefault('127.0.0.1')
    .describe('Where players, CDN and wall pages connect. 0.0.0.0 or :: for all interfaces.'),
  port: integer(0, 65_535)
    .prefault(8080)
    .describe('0 takes any free port; the ready line names it.'),
  reusePort: flag()
    .prefault(false)
    .describe('Several processes share the port: nodes on one machine. Each needs it.'),
  drainDelay: duration('0s', '5m')
    .prefault('0s')
    .describe(
      'At SIGTERM: serve on so long, unready, for a balancer to turn away. Often 5s to 10s.',
    ),
  tls: tls
    .optional()
    .describe('With it: https, HTTP/2 and HTTP/1.1. Files that are replaced are read again.'),
})

const limits = section({
  connections: integer(8, 1_000_000)
    .optional()
    .describe('Most connections of the public listener. Left out: what open files leave.'),
  running: integer(1, 100_000)
    .prefault(1000)
    .describe('Most streams that run at a time; a first request beyond them is 503.'),
})

const ORIGIN = /^(\*|https?:\/\/[a-z0-9.-]+(:[0-9]{1,5})?|https?:\/\/\[[0-9a-f:]+\](:[0-9]{1,5})?)$/

// What answers say of themselves: a tag under one of these names would break them.
const OWN_HEADERS =
  /^(accept-.*|access-control-.*|age|allow|cache-(control|status)|cdn-cache-control|connection|content-.*|date|etag|expires|keep-alive|location|retry-after|server|set-cookie|strict-.*|trailer|transfer-encoding|upgrade|vary|x-request-id)$/i

const cdn = section({
  staleWhileRevalidate: wholeSeconds('0s', '1h')
    .prefault('0s')
    .describe('Playlists: how long a cache may serve an old one while it asks for the next.'),
  staleIfError: wholeSeconds('0s', '24h')
    .prefault('0s')
    .describe('Playlists: how long instead of an error; not where onSignalLoss is fail.'),
  sharedMaxAge: wholeSeconds('0s', '24h')
    .optional()
    .describe('For shared caches alone (CDN-Cache-Control); live ones half a target duration.'),
  tagHeader: text('a header name that answers do not have yet', HEADER_NAME)
    .refine((name) => !OWN_HEADERS.test(name), {
      error: 'a header name that answers do not have yet',
    })
    .optional()
    .describe('Names the stream, to purge by: Cache-Tag, Surrogate-Key, xkey.'),
  allowOrigins: list(
    text('an origin such as https://player.example.com, or *', ORIGIN),
    'a list of origins',
    0,
    100,
  )
    .refine((origins) => !origins.includes('*') || origins.length === 1, {
      error: '* alone, or a list of origins',
    })
    .prefault(['*'])
    .describe('Whose pages may play (CORS): all, or these, which may send cookies then.'),
})

const admin = section({
  host: text('a host name or an IP address', /^[^\s/]+$/)
    .prefault('127.0.0.1')
    .describe('Where metrics, API and dashboard listen. Keep it off the public network.'),
  port: integer(0, 65_535)
    .prefault(8081)
    .describe('0 takes any free port; the ready line names it.'),
  token: text('a token')
    .optional()
    .describe('Bearer token of the admin listener; required when its host is not loopback.'),
}).superRefine(({ host, token }, context) => {
  if (token !== undefined || isLoopback(host)) return
  const message = `a token, because admin.host ${host} is not loopback`
  context.addIssue({ code: 'custom', path: ['token'], message })
})

const webhook = section({
  url: url('http', 'https')
    .optional()
    .describe('Where events are sent, each by a POST of its own.'),
  secret: text('a secret')
    .optional()
    .describe('Signs them: X-Kvs-Gateway-Signature is the HMAC-SHA256 of the body.'),
})
  .superRefine(({ url: target, secret }, context) => {
    if (target === undefined || secret !== undefined) return
    const message = 'a secret, because webhook.url is given'
    context.addIssue({ code: 'custom', path: ['secret'], message })
  })
  .transform(({ url: target, secret }) =>
    target === undefined || secret === undefined ? undefined : { url: target, secret },
  )

const events = section({
  webhook: webhook.optional().describe('Who is called when something happens.'),
  types: list(choice(EVENT_TYPES), 'a list of event types', 0, EVENT_TYPES.length)
    .prefault([])
    .describe('The events that are sent there; an empty list stands for all.'),
})

const aws = section({
  region: text('a region such as us-west-2', /^[a-z0-9-]+$/, 64)
    .optional()
    .describe('Left out: AWS_REGION and the rest of the SDK’s own chain.'),
  endpoint: url('http', 'https')
    .optional()
    .describe('The emulator or a VPC endpoint. Left out: AWS itself, or AWS_ENDPOINT_URL….'),
  quotaShare: share()
    .prefault(0.5)
    .describe('The share of each camera’s KVS metadata and media points that we may use.'),
  usdPerGb: amount(1000)
    .optional()
    .describe(
      'What a GB read through HLS costs you. Left out: the list price, of us-east-1 if need be.',
    ),
})

const cache = section({
  maxBytes: size('1MiB', '16TiB')
    .prefault('512MiB')
    .describe('Bound of all fragment bytes in memory.'),
  dir: text('a folder')
    .optional()
    .describe('A folder for saved timelines and a disk tier; with it, restarts are invisible.'),
  dirMaxBytes: size('1MiB', '1024TiB')
    .prefault('10GiB')
    .describe('Bound of the fragment bytes in dir. Saved timelines are small and come on top.'),
})

const REDIS_URL = 'a URL with redis:, rediss:, redis+sentinel: or redis+cluster:'

const redis = section({
  url: text(REDIS_URL, /^rediss?(\+sentinel|\+cluster)?:\/\/[^\s]+$/)
    .refine((value) => parseRedisUrl(value) !== undefined, { error: REDIS_URL })
    .optional()
    .describe(
      'redis://user:password@host:6379/0, redis+sentinel://host1:26379,host2/master, redis+cluster://host1,host2; rediss…: TLS. ' +
        'With it, several nodes share timelines, fragments and ownership.',
    ),
  prefix: text('a name of 1 to 64 of A–Z a–z 0–9 _ . -', /^[A-Za-z0-9_.-]{1,64}$/)
    .prefault('kvs-hls')
    .describe('Begins all keys and channels, so that several gateways can share a Redis.'),
  streamMaxBytes: size('1MiB', '1TiB')
    .prefault('64MiB')
    .describe('Bound of the fragment bytes of one stream that its owner keeps there.'),
  host: text('a host name or an IP address', /^[^\s/]+$/)
    .optional()
    .describe(
      'Where this process listens for the other nodes, and where they reach it. Left out: as server.host; where that is ' +
        '0.0.0.0 or ::, the machine’s first address that is not loopback.',
    ),
  node: text('a name of 1 to 64 of A–Z a–z 0–9 _ . -', /^[A-Za-z0-9_.-]{1,64}$/)
    .optional()
    .describe('The name of this process among the nodes. Left out: that of the host.'),
})

const log = section({
  level: choice(['debug', 'info', 'warn', 'error', 'silent'])
    .prefault('info')
    .describe('The least severe message that is written.'),
  format: choice(['json', 'pretty'])
    .prefault('json')
    .describe('json: one object a line, for collectors. pretty: for eyes.'),
})

const kvsSettings = {
  region: text('a region such as us-west-2', /^[a-z0-9-]+$/, 64)
    .optional()
    .describe('Of a stream by name; streamArn names its own. Left out: aws.region.'),
  roleArn: text('an ARN arn:aws:iam::ACCOUNT:role/NAME', ROLE_ARN, 2048)
    .optional()
    .describe('A role to assume for this stream, for example in the account that owns it.'),
  externalId: text('an external id of 2 to 1224 characters', /^[\w+=,.@:/-]{2,1224}$/)
    .optional()
    .describe('What the role’s trust policy wants to hear, if anything.'),
  fragmentSelectorType: choice(['PRODUCER_TIMESTAMP', 'SERVER_TIMESTAMP'])
    .prefault('PRODUCER_TIMESTAMP')
    .describe('Whose clock times the media: the camera’s or that of KVS.'),
  containerFormat: choice(['FRAGMENTED_MP4', 'MPEG_TS'])
    .prefault('FRAGMENTED_MP4')
    .describe('What is pulled from KVS.'),
  discontinuityMode: choice(['ON_DISCONTINUITY', 'ALWAYS', 'NEVER'])
    .prefault('ON_DISCONTINUITY')
    .describe('Where KVS marks discontinuities. The gateway finds them itself in any mode.'),
  expires: wholeSeconds('5m', '12h')
    .prefault('12h')
    .describe(
      'Life of a KVS session. Roll-overs are invisible, so it only sets how many there are.',
    ),
  fragmentResults: integer(1, 5000)
    .prefault(10)
    .describe('Fragments in the KVS playlist. More survive a longer hiccup and cost more points.'),
}

const kvs = section({
  streamName: text('a KVS stream name of 1 to 256 of a–z A–Z 0–9 _ . -', KVS_NAME)
    .optional()
    .describe('The KVS stream; or give streamArn.'),
  streamArn: text('an ARN arn:aws:kinesisvideo:REGION:ACCOUNT:stream/NAME/TIME', KVS_ARN, 1024)
    .optional()
    .describe('The KVS stream by ARN, which also names its region.'),
  ...kvsSettings,
}).superRefine(exactlyOne('streamName', 'streamArn'))

const hlsSettings = {
  headers: names(
    'a header name',
    HEADER_NAME,
    text('a header value of printable ASCII', HEADER_VALUE),
  )
    .prefault({})
    .describe('Request headers for the origin, for example its authorisation.'),
  sound: choice(['browsers', 'any'])
    .prefault('browsers')
    .describe('Which sound passes: what browsers take, or AC-3, E-AC-3 and MP3 too.'),
}

const hls = section({
  url: url('http', 'https').describe('Multivariant or media playlist of any HLS origin.'),
  ...hlsSettings,
})

const viewing = {
  activation: choice(['on-demand', 'always'])
    .prefault('on-demand')
    .describe('on-demand pulls while somebody watches; always keeps the camera warm.'),
  idleTimeout: duration('1s', '24h')
    .prefault('60s')
    .describe('On-demand: stop this long after the last request.'),
  startTimeout: duration('100ms', '5m')
    .prefault('8s')
    .describe('How long a first request waits for media before it gets 503.'),
  window: integer(1, 1000)
    .prefault(6)
    .describe('Segments in the live playlist; more where 3 target durations, or 15 s, need more.'),
  minTargetDuration: wholeSeconds('1s', '60s')
    .prefault('1s')
    .describe('Floor of EXT-X-TARGETDURATION. Raise it if fragments may get longer later on.'),
  dvr: duration('0s', '24h').prefault('0s').describe('How far back players may seek in dvr.m3u8.'),
  dvrBackfill: flag()
    .prefault(false)
    .describe('Fill that window from the archive at start, behind everything else.'),
  onSignalLoss: choice(['hold', 'slate', 'fail'])
    .prefault('hold')
    .describe('Camera gone: hold the last playlist, show a slate, or answer 503.'),
  failAfter: duration('500ms', '24h')
    .prefault('30s')
    .describe('fail: how long the last playlist is served, at least until the signal is lost.'),
  signalLossAfter: duration('500ms', '30s')
    .prefault('10s')
    .describe('Without a fragment for this long, the signal counts as lost.'),
  slateFile: text('a file')
    .optional()
    .describe('An MP4 to show as slate, in the camera’s codecs. Left out: one that is built in.'),
  maxArchive: duration('1m', '8760h')
    .prefault('168h')
    .describe('The longest range that master.m3u8?start=…&end=… may ask for.'),
  maxClip: duration('1s', '24h')
    .prefault('1h')
    .describe('The longest range that one clip may have.'),
  outputs: list(choice(['hls', 'ts', 'dash']), 'a list of hls, ts, dash', 1, 3)
    .prefault(['hls'])
    .describe('The formats that viewers may ask for.'),
}

const backup = section({
  kvs: kvs.describe('Another KVS stream of the same scene.'),
  returnAfter: duration('1s', '1h')
    .prefault('30s')
    .describe('How long the first source has to deliver again before it takes over.'),
})

const stream = section({
  kvs: kvs.optional().describe('Pull from Kinesis Video Streams.'),
  hls: hls.optional().describe('Pull from another HLS origin, instead of kvs.'),
  backup: backup.optional().describe('Takes over while the first source delivers nothing.'),
  ...viewing,
}).superRefine(exactlyOne('kvs', 'hls'))

/** What all streams may share: everything except the name of the source. */
const defaults = section({
  kvs: section(kvsSettings).optional().describe('For all streams with kvs.'),
  hls: section(hlsSettings).optional().describe('For all streams with hls.'),
  ...viewing,
})

const dynamicStream = section({
  match: text('a regular expression for stream names', /^/, 256)
    .refine(isRegExp, { error: 'a regular expression for stream names' })
    .refine(isQuick, {
      error: 'a regular expression that decides quickly: no repeat within a repeat',
    })
    .describe('Which names exist; anchor it with ^ and $. Names have 256 characters at most.'),
  max: integer(1, 10_000)
    .prefault(100)
    .describe('How many of them may be there at a time; idle ones make room.'),
  absentFor: duration('1s', '1h')
    .prefault('30s')
    .describe('How long a name that KVS does not know is not asked for again.'),
  kvs: section({
    streamName: text('a KVS stream name, with {name} for the public one', KVS_NAME_TEMPLATE, 256)
      .prefault('{name}')
      .describe('The KVS stream; {name} is the public name.'),
    ...kvsSettings,
  }).prefault({}),
  ...viewing,
})

/** The whole file. */
export const fileSchema = section({
  server: server.prefault({}).describe('Public listener: players, CDN, wall and player pages.'),
  cdn: cdn.prefault({}).describe('What caches in front may do.'),
  admin: admin.prefault({}).describe('Metrics, API and dashboard.'),
  limits: limits.prefault({}).describe('Against crowds that would take what the sources need.'),
  events: events.prefault({}).describe('Who is told of what happens.'),
  aws: aws.prefault({}).describe('How AWS is reached; else the SDK’s own chain, AWS_* included.'),
  cache: cache.prefault({}).describe('Fragment bytes and saved timelines.'),
  redis: redis.prefault({}).describe('Several nodes as one.'),
  log: log.prefault({}).describe('What the process writes to its output.'),
  defaults: defaults.prefault({}).describe('Any per-stream key, for all streams.'),
  streams: names(PUBLIC_NAME_PHRASE, PUBLIC_NAME, stream)
    .prefault({})
    .describe('Public names and their sources.'),
  dynamicStreams: list(dynamicStream, 'a list of { match, kvs, … }')
    .prefault([])
    .describe('Streams that exist by pattern.'),
  auth: auth.prefault({}).describe('Who may watch.'),
}).superRefine(({ server, admin, streams, dynamicStreams }, context) => {
  const fault = (path: string[], message: string) =>
    context.addIssue({ code: 'custom', path, message })
  if (Object.keys(streams).length + dynamicStreams.length === 0) {
    fault(['streams'], 'at least one stream')
  }
  if (server.port !== 0 && server.port === admin.port && server.host === admin.host) {
    fault(['admin', 'port'], 'another port than server.port')
  }
})

export type ConfigFile = z.output<typeof fileSchema>
export type StreamEntry = z.output<typeof stream>
export type DynamicStreamEntry = z.output<typeof dynamicStream>

/** One entry of `streams` and of `dynamicStreams`, with `defaults` already merged in. */
export const mergedSchema = z.object({
  streams: z.record(z.string(), stream),
  dynamicStreams: z.array(dynamicStream),
})
