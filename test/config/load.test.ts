import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { EVENT_TYPES } from '../../src/base/event-types.ts'
import { faultLine } from '../../src/config/fault.ts'
import { ConfigError, loadConfig, loadYaml } from '../../src/config/load.ts'
import { faultLines, ONE_STREAM, parse } from './support.ts'

const stream = (keys: string) => `streams: { lobby: { kvs: { streamName: x }, ${keys} } }`
const kvs = (keys: string) => `streams: { lobby: { kvs: { ${keys} } } }`

describe('a good file', () => {
  test('gives units in the names', () => {
    const { streams, cache } = parse(
      `cache: { maxBytes: 64MiB }\n${stream('idleTimeout: 2m, startTimeout: 500ms, window: 8')}`,
    )
    expect(cache.maxBytes).toBe(67_108_864)
    expect(streams[0]).toMatchObject({ idleTimeoutMs: 120_000, startTimeoutMs: 500, window: 8 })
  })

  test('reads every key of the contract in one go', () => {
    const config = parse(`
server:
  host: 127.0.0.1
  port: 8080
  tls: { cert: , key: }
events: { webhook: { url: , secret: }, types: [] }
limits: { running: 1000 }
admin:  { host: 127.0.0.1, port: 8081, token: }
aws:    { region: , endpoint: }
cache:  { maxBytes: 512MiB, dir: }
redis:  { url: }
defaults: {}
streams:
  lobby:
    kvs:
      streamName: lobby-camera
      fragmentSelectorType: PRODUCER_TIMESTAMP
      containerFormat: FRAGMENTED_MP4
      discontinuityMode: ON_DISCONTINUITY
      expires: 12h
      fragmentResults: 10
    activation: on-demand
    idleTimeout: 60s
    startTimeout: 8s
    window: 6
    dvr: 0s
    dvrBackfill: false
    onSignalLoss: hold
    signalLossAfter: 10s
    outputs: [hls]
dynamicStreams: []
auth: { mode: none }
`)
    expect(config).toEqual(parse(ONE_STREAM))
  })

  test('merges defaults under each stream, kvs key by key', () => {
    const { streams } = parse(`
defaults: { window: 9, idleTimeout: 5s, kvs: { expires: 1h, fragmentResults: 20 } }
streams:
  a: { kvs: { streamName: x } }
  b: { kvs: { streamName: y, expires: 5m }, window: 6, idleTimeout: }
`)
    expect(streams).toMatchObject([
      { name: 'a', window: 9, idleTimeoutMs: 5000, source: { expiresMs: 3_600_000 } },
      { name: 'b', window: 6, idleTimeoutMs: 5000, source: { expiresMs: 300_000 } },
    ])
    expect(streams.map(({ source }) => source)).toMatchObject([
      { fragmentResults: 20 },
      { fragmentResults: 20 },
    ])
  })

  test('gives a backup the defaults of its kind', () => {
    const { streams } = parse(`
defaults: { kvs: { expires: 1h, fragmentResults: 20 } }
streams:
  a: { kvs: { streamName: x }, backup: { kvs: { streamName: y, expires: 5m } } }
`)
    expect(streams[0]?.backup?.kvs).toMatchObject({ expiresMs: 300_000, fragmentResults: 20 })
  })

  test('keeps the defaults of one kind of source away from the other', () => {
    const { streams } = parse(`
defaults: { kvs: { expires: 1h }, hls: { headers: { a: b } } }
streams: { a: { hls: { url: 'https://x/y.m3u8', headers: { c: d } } } }
`)
    expect(streams[0]?.source).toEqual({
      kind: 'hls',
      sound: 'browsers',
      url: 'https://x/y.m3u8',
      headers: { c: 'd' },
    })
  })

  test('takes an ARN, odd names, and strips slashes from the endpoint', () => {
    const arn = 'arn:aws:kinesisvideo:us-west-2:123456789012:stream/cam-1/1700000000000'
    const config = parse(
      `aws: { endpoint: 'http://127.0.0.1:1/' }\nstreams: { constructor: { kvs: { streamArn: '${arn}' } } }`,
    )
    expect(config.aws.endpoint).toBe('http://127.0.0.1:1')
    expect(config.streams[0]).toMatchObject({ name: 'constructor', source: { streamArn: arn } })
  })

  test('lets dynamic streams stand alone, with settings of their own', () => {
    const { dynamicStreams } = parse(
      `defaults: { window: 7 }\ndynamicStreams: [{ match: '^cam-[0-9]+$', kvs: { streamName: 'p-{name}' } }]`,
    )
    expect(dynamicStreams).toMatchObject([{ window: 7, kvs: { streamName: 'p-{name}' } }])
    expect(dynamicStreams[0]?.match.test('cam-7')).toBe(true)
  })
})

describe('a fault is one line: file, line, key, expected, got', () => {
  const redisUrl =
    'redis.url: expected a URL with redis:, rediss:, redis+sentinel: or redis+cluster:, got a value that is not shown here'

  test.each([
    [`redis: { url: 'redis://:hunter2@x/y' }\n${ONE_STREAM}`, redisUrl],
    [`redis: { url: 'redis+sentinel://x' }\n${ONE_STREAM}`, redisUrl],
    [
      `redis: { prefix: '{a}' }\n${ONE_STREAM}`,
      'redis.prefix: expected a name of 1 to 64 of A–Z a–z 0–9 _ . -, got "{a}"',
    ],
    [
      stream('window: "six"'),
      'streams.lobby.window: expected an integer from 1 to 1000, got "six"',
    ],
    [stream('window: 0'), 'streams.lobby.window: expected an integer from 1 to 1000, got 0'],
    [stream('window: 6.5'), 'streams.lobby.window: expected an integer from 1 to 1000, got 6.5'],
    [
      stream('idleTimeout: 60'),
      'streams.lobby.idleTimeout: expected a duration from 1s to 24h, such as 500ms, 10s, 2m or 12h, got 60',
    ],
    [
      stream('activation: never'),
      'streams.lobby.activation: expected one of on-demand, always, got "never"',
    ],
    [
      stream('outputs: [hls, mp3]'),
      'streams.lobby.outputs[1]: expected one of hls, ts, dash, got "mp3"',
    ],
    [stream('outputs: []'), 'streams.lobby.outputs: expected a list of hls, ts, dash, got a list'],
    [
      kvs('streamName: x, expires: 4m'),
      'streams.lobby.kvs.expires: expected a duration in whole seconds from 5m to 12h, such as 10s, 2m or 12h, got "4m"',
    ],
    [
      kvs('streamName: x, expires: 300500ms'),
      'streams.lobby.kvs.expires: expected a duration in whole seconds from 5m to 12h, such as 10s, 2m or 12h, got "300500ms"',
    ],
    [
      kvs('streamName: "a b"'),
      'streams.lobby.kvs.streamName: expected a KVS stream name of 1 to 256 of a–z A–Z 0–9 _ . -, got "a b"',
    ],
    [
      kvs('streamArn: "arn:aws:s3:::x"'),
      'streams.lobby.kvs.streamArn: expected an ARN arn:aws:kinesisvideo:REGION:ACCOUNT:stream/NAME/TIME, got "arn:aws:s3:::x"',
    ],
    [kvs(''), 'streams.lobby.kvs: expected exactly one of streamName and streamArn, got a mapping'],
    ['streams: { lobby: {} }', 'streams.lobby: expected exactly one of kvs and hls, got a mapping'],
    ['streams: { lobby: }', 'streams.lobby: expected a mapping, got nothing'],
    ['streams: {}', 'streams: expected at least one stream, got a mapping'],
    [
      'streams: { "front door": { kvs: { streamName: x } } }',
      'streams["front door"]: expected a stream name of 1 to 256 of A–Z a–z 0–9 _ . -, got "front door"',
    ],
    [
      'streams: { "..": { kvs: { streamName: x } } }',
      'streams[".."]: expected a stream name of 1 to 256 of A–Z a–z 0–9 _ . -, got ".."',
    ],
    [
      `server: { prot: 1 }\n${ONE_STREAM}`,
      'server.prot: expected a known key (host, port, reusePort, drainDelay, tls), got "prot"',
    ],
    [
      `server: { prot: }\n${ONE_STREAM}`,
      'server.prot: expected a known key (host, port, reusePort, drainDelay, tls), got "prot"',
    ],
    [
      `server: { port: 65536 }\n${ONE_STREAM}`,
      'server.port: expected an integer from 0 to 65535, got 65536',
    ],
    [
      `cdn: { tagHeader: Content-Length }\n${ONE_STREAM}`,
      'cdn.tagHeader: expected a header name that answers do not have yet, got "Content-Length"',
    ],
    [
      `cdn: { allowOrigins: ["https://a.example/", "https://b.example"] }\n${ONE_STREAM}`,
      'cdn.allowOrigins[0]: expected an origin such as https://player.example.com, or *, got "https://a.example/"',
    ],
    [
      `cdn: { allowOrigins: ["https://a.example", "*"] }\n${ONE_STREAM}`,
      'cdn.allowOrigins: expected * alone, or a list of origins, got a list',
    ],
    [
      `admin: { host: 0.0.0.0 }\n${ONE_STREAM}`,
      'admin.token: expected a token, because admin.host 0.0.0.0 is not loopback, got nothing',
    ],
    [
      `admin: { port: 8080 }\n${ONE_STREAM}`,
      'admin.port: expected another port than server.port, got 8080',
    ],
    [
      `cache: { maxBytes: 64MB }\n${ONE_STREAM}`,
      'cache.maxBytes: expected a size from 1MiB to 16TiB, such as 64MiB, got "64MB"',
    ],
    [
      `events: { webhook: { url: https://example.com/hook } }\n${ONE_STREAM}`,
      'events.webhook.secret: expected a secret, because webhook.url is given, got nothing',
    ],
    [
      `events: { webhook: { url: 'ftp://example.com/T0K3N', secret: x } }\n${ONE_STREAM}`,
      'events.webhook.url: expected a URL with http: or https:, got a value that is not shown here',
    ],
    [
      `events: { types: [stream.gone] }\n${ONE_STREAM}`,
      `events.types[0]: expected one of ${EVENT_TYPES.join(', ')}, got "stream.gone"`,
    ],
    [
      `aws: { quotaShare: 0 }\n${ONE_STREAM}`,
      'aws.quotaShare: expected a number above 0 and up to 1, got 0',
    ],
    [
      `auth: { mode: magic }\n${ONE_STREAM}`,
      'auth.mode: expected one of none, cdn-secret, jwt, signed-path, or a list of these, got "magic"',
    ],
    [
      `auth: { mode: jwt }\n${ONE_STREAM}`,
      'auth: expected exactly one of secret and jwksUrl, got a mapping',
    ],
    [
      `auth: { mode: signed-path, keys: [{ id: a, secret: x }, { id: a, secret: y }] }\n${ONE_STREAM}`,
      'auth.keys: expected keys with different ids, got a list',
    ],
    [
      `auth: { mode: [jwt, jwt], secret: x }\n${ONE_STREAM}`,
      'auth.mode: expected one of none, cdn-secret, jwt, signed-path, or a list of these, got a list',
    ],
    [
      `auth: { mode: [jwt, none], secret: x }\n${ONE_STREAM}`,
      'auth.mode: expected one of none, cdn-secret, jwt, signed-path, or a list of these, got a list',
    ],
    [
      `auth: { mode: [signed-path, cdn-secret], secrets: [x] }\n${ONE_STREAM}`,
      'auth.keys: expected a list of keys { id, secret }, got nothing',
    ],
    [
      `auth: { mode: [cdn-secret], secrets: [x], jwksUrl: "https://x" }\n${ONE_STREAM}`,
      'auth.jwksUrl: expected a key of cdn-secret, got "jwksUrl"',
    ],
    [
      `auth: { allowFrom: [192.0.2.0/24] }\n${ONE_STREAM}`,
      'auth.mode: expected a mode besides none, which lets everybody in, got nothing',
    ],
    [
      `auth: { mode: jwt, secret: x, allowFrom: [192.0.2.0/33] }\n${ONE_STREAM}`,
      'auth.allowFrom[0]: expected an address or a range such as 192.0.2.0/24, got "192.0.2.0/33"',
    ],
    [
      `server: { tls: { cert: a.pem } }\n${ONE_STREAM}`,
      'server.tls.key: expected a file, because the other one is given, got nothing',
    ],
    [
      'dynamicStreams: [{ match: "(" }]',
      'dynamicStreams[0].match: expected a regular expression for stream names, got "("',
    ],
  ])('%s', (text, line) => {
    expect(faultLines(text).map((fault) => fault.replace(/^gateway\.yaml:\d+: /, ''))).toEqual([
      line,
    ])
  })

  test('names the line, and each fault once, in the file’s order', () => {
    const text = `defaults:
  window: none
streams:
  lobby:
    kvs: { streamName: x }
    window:
      "seven"
    typo: 1
`
    expect(faultLines(text).map((line) => line.split(': expected')[0])).toEqual([
      'gateway.yaml:2: defaults.window',
      'gateway.yaml:6: streams.lobby.window',
      'gateway.yaml:8: streams.lobby.typo',
    ])
  })

  test('G16: secrets are not shown', () => {
    const text = `
admin: { token: [hunter2] }
redis: { url: 'http://:hunter2@x' }
auth: { mode: cdn-secret, secrets: hunter2 }
streams: { a: { hls: { url: hunter2, headers: { Authorization: "hunter2\\n" } } } }
`
    const lines = faultLines(text)
    expect(lines).toHaveLength(5)
    expect(lines.join()).not.toContain('hunter2')
  })
})

describe('a hostile file is refused in a line', () => {
  const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefgh'
    .split('')
    .map((name, i) => {
      const before = 'abcdefgh'[i]
      return `${name}: &${name} [${Array(9).fill(`*${before}`).join()}]`
    })
    .join('\n')}`

  test.each([
    ['nothing', '', /: expected a mapping, got nothing$/],
    ['a list', '- a', /: expected a mapping, got a list$/],
    ['a text', 'hello', /: expected a mapping, got "hello"$/],
    ['broken YAML', 'a: [', /^gateway\.yaml:1: expected YAML, got /],
    ['a key twice', 'server: {}\nserver: {}', /^gateway\.yaml:2: expected YAML, got .*unique/],
    ['two documents', `${ONE_STREAM}\n---\na: 1`, /expected YAML, got .*multiple documents/],
    ['an unknown tag', `server: !run x\n${ONE_STREAM}`, /expected YAML, got .*tag/],
    ['an alias bomb', bomb, /: expected at most 50000 values/],
    ['an alias to itself', 'a: &a [*a]', /: expected at most 50000 values/],
    ['an unknown alias', 'a: *b', /: a: expected an anchor above, got \*b$/],
    ['deep nesting', '['.repeat(5000), /: expected (YAML|at most)/],
    [
      '__proto__',
      `__proto__: { server: 1 }\n${ONE_STREAM}`,
      /expected a name as the key, got "__proto__"$/,
    ],
    ['a list as a key', '[a]: 1', /expected a name as the key/],
    [
      'terminal escapes',
      'streams: { "\\e[2J\\u202e": {} }',
      /^[\x20-\u2014]*expected a stream name[\x20-\u2014]*$/,
    ],
  ])('%s', (_, text, expected) => {
    const lines = faultLines(text)
    expect(lines.length).toBeGreaterThan(0)
    for (const line of lines) expect(line).not.toContain('\n')
    expect(lines[0]).toMatch(expected)
  })

  test('any text gives a configuration or faults, each a line', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
        for (const line of faultLines(text))
          expect(line).toMatch(/^gateway\.yaml.*expected .+, got .+$/)
      }),
    )
  })
})

describe('reading the file', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'config-'))
  })
  afterAll(() => rm(folder, { recursive: true }))

  async function linesOf(content: string | Buffer): Promise<readonly string[]> {
    const file = join(folder, 'gateway.yaml')
    await writeFile(file, content)
    const faults = await loadConfig(file, {}).then(
      () => [],
      (error: unknown) => (error instanceof ConfigError ? error.faults : Promise.reject(error)),
    )
    return faults.map((fault) => faultLine({ ...fault, file: 'gateway.yaml' }))
  }

  test('takes a good one', async () => {
    expect(await linesOf(ONE_STREAM)).toEqual([])
  })

  test.each([
    ['huge', '#'.repeat(2 ** 20 + 1), 'expected at most 1 MiB of YAML, got more'],
    ['binary', Buffer.from([0x7f, 0x45, 0, 1]), 'expected YAML text, got binary data'],
    ['not UTF-8', Buffer.from([0x61, 0xff]), 'expected YAML text in UTF-8, got other bytes'],
  ])('refuses what is %s', async (_, content, line) => {
    expect(await linesOf(content)).toEqual([`gateway.yaml: ${line}`])
  })

  test('says that there is no file, or that it is a folder', async () => {
    await expect(loadConfig(join(folder, 'none.yaml'), {})).rejects.toMatchObject({
      faults: [{ expected: 'a file that can be read', got: 'ENOENT' }],
    })
    await expect(loadConfig(folder, {})).rejects.toMatchObject({ faults: [{ got: 'EISDIR' }] })
  })
})

test('a schema that leaves its messages to zod still gives lines that read well', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'config-'))
  const file = join(folder, 'a.yaml')
  await writeFile(file, 'a: x\nb: 0\nc: z\nd: 1\n')
  const schema = z.strictObject({ a: z.number(), b: z.number().min(1), c: z.enum(['p', 'q']) })
  const faults = await loadYaml(file, {}, schema).then(
    () => [],
    (error: unknown) => (error instanceof ConfigError ? error.faults : Promise.reject(error)),
  )
  await rm(folder, { recursive: true })
  expect(faults.map((fault) => faultLine({ ...fault, file: 'a.yaml' }))).toEqual([
    'a.yaml:1: a: expected number, got "x"',
    'a.yaml:2: b: expected number to be >=1, got 0',
    'a.yaml:3: c: expected one of "p"|"q", got "z"',
    'a.yaml:4: d: expected a known key, got "d"',
  ])
})
