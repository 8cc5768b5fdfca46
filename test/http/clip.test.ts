import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Clips } from '../../src/archive/clip/clips.ts'
import { systemClock } from '../../src/base/clock.ts'
import { GatewayError } from '../../src/base/errors.ts'
import { decodeWithoutWarning } from '../proof/decode.ts'
import { literalFragment, literalInit } from '../support/literal-fragment.ts'
import { seeMovie } from '../support/movie-file.ts'
import { connections, type PublicServer, startPublicServer } from '../support/public-server.ts'
import { ask, rawConnection, sendRaw } from '../support/raw-http.ts'
import { LoopRecording } from '../support/recording.ts'
import { hasTool } from '../support/tools.ts'

const START_S = Date.UTC(2025, 0, 1) / 1000
const MAX_MS = 600_000
const MIB = 2 ** 20

let recording: LoopRecording
let server: PublicServer

beforeEach(() => start())
afterEach(() => server.close())

async function start(
  made = new LoopRecording(),
  options: { stallTimeoutMs?: number } = {},
): Promise<void> {
  await server?.close()
  recording = made
  const clips = new Clips({
    clock: systemClock,
    maxMs: () => MAX_MS,
    list: (_stream, range) => Promise.resolve(recording.list(range)),
  })
  server = await startPublicServer({ clips, ...options })
}

function url(seconds: number, stream = 'lobby'): string {
  return `${server.url}/clip/${stream}.mp4?start=${START_S}&end=${START_S + seconds}`
}

const codeOf = (body: Buffer): unknown => (JSON.parse(body.toString()) as { code: string }).code

describe('headers', () => {
  test('G13: a clip has every header of its class', async () => {
    const { status, headers, body } = await ask(url(5))
    expect(status).toBe(200)
    expect(seeMovie(body).map(({ kind }) => kind)).toEqual(['video', 'audio'])
    expect(headers).toMatchObject({
      'content-type': 'video/mp4',
      'content-length': String(body.length),
      'content-disposition': 'inline; filename="lobby-2025-01-01T00-00-00Z.mp4"',
      'cache-control': 'public, max-age=86400',
      'accept-ranges': 'bytes',
      'access-control-allow-origin': '*',
    })
    expect(headers.etag).toMatch(/^"[0-9a-f]{24}"$/)
    expect(headers['transfer-encoding']).toBeUndefined()
    expect(headers['set-cookie']).toBeUndefined()
  })

  test('sound alone has its own type', async () => {
    await start(new LoopRecording(['aac']))
    const { headers, body } = await ask(url(3))
    expect(headers['content-type']).toBe('audio/mp4')
    expect(seeMovie(body).map(({ kind }) => kind)).toEqual(['audio'])
  })

  test('HEAD says what GET would', async () => {
    await ask(url(5))
    const get = await ask(url(5))
    const head = await ask(url(5), { method: 'HEAD' })
    expect(head.body).toHaveLength(0)
    expect({ ...head.headers, date: '' }).toEqual({ ...get.headers, date: '' })
  })

  test('who has it already gets 304, and nothing is fetched again', async () => {
    const { headers } = await ask(url(5))
    recording.fetched.length = 0
    const again = await ask(url(5), { headers: { 'if-none-match': headers.etag ?? '' } })
    expect([again.status, again.body.length, again.headers.etag]).toEqual([304, 0, headers.etag])
    expect(recording.fetched).toEqual([])
  })

  test('Cache-Status tells whether its index was there; its media are read as they are sent', async () => {
    const statusOf = async (headers = {}): Promise<unknown> =>
      (await ask(url(5), { headers })).headers['cache-status']
    const gate = Promise.withResolvers<undefined>()
    recording.before = () => gate.promise
    const first = ask(url(5))
    await expect.poll(() => server.counters.blockedRequests.value).toBe(1)
    const second = statusOf()
    await expect.poll(() => server.counters.blockedRequests.value).toBe(2)
    gate.resolve(undefined)
    const { headers } = await first
    expect(headers['cache-status']).toBe('kvs-hls-gateway; fwd=uri-miss')
    expect(await second).toBe('kvs-hls-gateway; fwd=uri-miss; collapsed')
    expect(await statusOf()).toBe('kvs-hls-gateway; fwd=partial')
    expect(await statusOf({ range: 'bytes=0-9' })).toBe('kvs-hls-gateway; fwd=partial')
    expect(await statusOf({ 'if-none-match': headers.etag })).toBe('kvs-hls-gateway; hit')
  })

  test('what has just ended may still grow, and is not to be cached for long', async () => {
    const nowS = Math.floor(Date.now() / 1000)
    const { headers } = await ask(`${server.url}/clip/lobby.mp4?start=${nowS - 10}&end=${nowS - 2}`)
    expect(headers['cache-control']).toBe('public, max-age=1')
  })
})

describe('ranges', () => {
  test.each([
    ['bytes=0-99', 0, 100],
    ['bytes=5000-20000', 5000, 20_001],
    ['bytes=-1', -1, undefined],
    ['bytes=9000-', 9000, undefined],
  ])('%s gets just that', async (range, from, to) => {
    const whole = await ask(url(5))
    const part = await ask(url(5), { headers: { range, 'if-range': whole.headers.etag ?? '' } })
    expect(part.status).toBe(206)
    expect(part.body.equals(whole.body.subarray(from, to))).toBe(true)
    expect(part.headers['content-length']).toBe(String(part.body.length))
    expect(part.headers['content-range']).toMatch(new RegExp(`/${whole.body.length}$`))
  })

  test('of another version than If-Range names, the whole', async () => {
    const headers = { range: 'bytes=0-9', 'if-range': '"other"' }
    expect((await ask(url(5), { headers })).status).toBe(200)
  })

  test('behind the end there is none', async () => {
    const { status, headers } = await ask(url(5), { headers: { range: 'bytes=99999999-' } })
    expect([status, headers['content-range']]).toEqual([
      416,
      expect.stringMatching(/^bytes \*\/\d+$/),
    ])
  })
})

describe('refusals', () => {
  test.each([
    ['', /start is missing/],
    [`?start=${START_S}`, /end is missing/],
    [`?start=${START_S}&end=yesterday`, /end: expected an ISO 8601/],
    [`?start=${START_S}&end=${START_S}`, /end has to be later/],
    [`?start=${START_S}&end=${START_S + 601}`, /601 s apart, and may be at most 600 s/],
    [`?start=${START_S}&end=9999999999`, /end lies in the future/],
  ])('%s', async (query, detail) => {
    const { status, body } = await ask(`${server.url}/clip/lobby.mp4${query}`)
    expect(status).toBe(400)
    expect(JSON.parse(body.toString())).toMatchObject({
      code: 'bad_request',
      detail: expect.stringMatching(detail) as string,
    })
  })

  test('G17: a name that is not known leaves no trace', async () => {
    const { status, body } = await ask(url(5, 'nobody'))
    expect([status, codeOf(body)]).toEqual([404, 'stream_not_found'])
    expect(server.counters.downstreamRequests.total({})).toBe(0)
    expect((await ask(`${server.url}/clip/lobby.avi`)).status).toBe(404)
  })

  test('what upstream refuses is an error as any other', async () => {
    recording.before = () =>
      Promise.reject(new GatewayError('segment_gone', 'KVS keeps it no longer'))
    const { status, body } = await ask(url(5))
    expect([status, codeOf(body)]).toEqual([404, 'segment_gone'])
  })
})

test('answers and bytes are counted as clips', async () => {
  const { body } = await ask(url(5))
  await ask(url(5), { method: 'HEAD' })
  await ask(`${server.url}/clip/lobby.mp4`)
  const { downstreamRequests, downstreamBytes } = server.counters
  const requests = (code: string): number =>
    downstreamRequests.total({ stream: 'lobby', class: 'clip', code })
  expect([requests('200'), requests('400')]).toEqual([2, 1])
  expect(downstreamBytes.total({ stream: 'lobby', class: 'clip' })).toBe(body.length)
})

describe('trouble on the way', () => {
  test('a fragment that fails before the first byte is an honest error', async () => {
    const { headers } = await ask(url(5))
    recording.before = () => Promise.reject(new GatewayError('upstream_unavailable', 'no answer'))
    const last = Number(headers['content-length']) - 1
    const { status, body } = await ask(url(5), { headers: { range: `bytes=${last}-` } })
    expect([status, codeOf(body)]).toEqual([502, 'upstream_unavailable'])
  })

  test('one that fails later breaks the connection: an end would be believed', async () => {
    await ask(url(5))
    recording.before = (number) =>
      number === BigInt(START_S + 3) ? Promise.reject(new Error('reset')) : undefined
    // On a connection that would be kept: it closes, with less than was promised.
    const request = `GET ${url(5).slice(server.url.length)} HTTP/1.1\r\nHost: x\r\n\r\n`
    const answer = await sendRaw(server.port, request)
    const [, promised = '0'] = /Content-Length: (\d+)/.exec(answer) ?? [undefined, '99999999']
    expect(answer.length).toBeLessThan(Number(promised))
  })

  test('a wait longer than a stalled connection is given does not cut it', async () => {
    await start(new LoopRecording(), { stallTimeoutMs: 200 })
    recording.before = (number) =>
      number === BigInt(START_S + 1) ? sleep(600).then(() => undefined) : undefined
    expect((await ask(url(5))).status).toBe(200)
  })
})

describe('who leaves', () => {
  async function leave(count: number): Promise<void> {
    const sockets = await Promise.all(
      Array.from({ length: count }, () => rawConnection(server.port)),
    )
    const request = `GET ${url(5).slice(server.url.length)} HTTP/1.1\r\nHost: x\r\n\r\n`
    for (const socket of sockets) socket.write(request)
    await expect.poll(() => connections(server)).toBe(count)
    for (const socket of sockets) socket.destroy()
    await expect.poll(() => connections(server)).toBe(0)
  }

  test('G18: before the stream is made takes no room from others', async () => {
    const made = Promise.withResolvers<void>()
    server.registry.making = made.promise
    await leave(40)
    made.resolve()
    expect((await ask(url(5))).status).toBe(200)
    expect(server.counters.downstreamRequests.total({ class: 'clip' })).toBe(1)
  })

  test('while the clip is made was refused nothing', async () => {
    const read = Promise.withResolvers<void>()
    recording.before = () => read.promise.then(() => undefined)
    await leave(3)
    read.resolve()
    await ask(url(5))
    const { downstreamRequests } = server.counters
    expect(downstreamRequests.total({ class: 'clip', code: '500' })).toBe(0)
  })
})

describe('G18: slow readers', () => {
  /** A fragment of 2 MiB, which no socket takes in at once. */
  async function heavy(): Promise<void> {
    await start(heavyRecording())
    await ask(url(20), { method: 'HEAD' })
    recording.fetched.length = 0
  }

  test('one that does not read stops the fetching, and one that leaves ends it', async () => {
    await heavy()
    const socket = await rawConnection(server.port)
    socket.write(`GET ${url(20).slice(server.url.length)} HTTP/1.1\r\nHost: x\r\n\r\n`)
    await expect.poll(() => recording.fetched.length).toBeGreaterThan(0)
    await untilStill(() => recording.fetched.length)
    // What the kernel takes in, and what is fetched ahead: far from the 20 there are.
    expect(recording.fetched.length).toBeLessThan(12)
    const before = recording.fetched.length
    socket.destroy()
    await once(socket, 'close')
    await untilStill(() => recording.fetched.length)
    expect(recording.fetched.length).toBe(before)
  })

  test('there are no more than 32', async () => {
    await heavy()
    const sockets = await Promise.all(Array.from({ length: 32 }, () => rawConnection(server.port)))
    for (const socket of sockets) {
      socket.write(`GET ${url(20).slice(server.url.length)} HTTP/1.1\r\nHost: x\r\n\r\n`)
    }
    const answered = (): number => server.counters.downstreamRequests.total({ class: 'clip' })
    await expect.poll(answered).toBe(33)
    const refused = await ask(url(5))
    expect([refused.status, refused.headers['retry-after']]).toEqual([503, '2'])
    for (const socket of sockets) socket.destroy()
    await expect.poll(async () => (await ask(url(5))).status).toBe(200)
  })
})

function heavyRecording(): LoopRecording {
  const heavy = new LoopRecording()
  const made = literalInit('avc')
  const sample = { durationTicks: made.init.timescale, compositionTicks: 0, isSync: true }
  heavy.before = (number) => {
    const baseTicks = Number(number) * made.init.timescale
    const bytes = literalFragment(made, baseTicks, [{ ...sample, bytes: 2 * MIB }])
    return Promise.resolve([{ ...made, bytes, baseTicks }])
  }
  return heavy
}

async function untilStill(value: () => number): Promise<void> {
  for (let before = -1; value() !== before; ) {
    before = value()
    await sleep(100)
  }
}

test.skipIf(!hasTool('ffmpeg') || !hasTool('ffprobe'))('ffmpeg plays it over HTTP', async () => {
  const { warnings, streams } = await decodeWithoutWarning(url(20))
  expect(warnings).toEqual([])
  expect(streams.map(({ type }) => type)).toEqual(['video', 'audio'])
  for (const { gaps, endS } of streams) {
    expect(gaps).toEqual([])
    expect(endS).toBeCloseTo(20, 0)
  }
})
