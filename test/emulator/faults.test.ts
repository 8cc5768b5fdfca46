import { expect, test } from 'vitest'
import type { FaultInput } from '../../src/emulator/service/fault.ts'
import { get, links, openSession, playlistUrl, rig } from './support/client.ts'

interface Prey extends AsyncDisposable {
  readonly url: string
  readonly whole: Buffer
  readonly advance: (ms: number) => void
  readonly run: (ms: number) => Promise<void>
  readonly add: (fault: FaultInput) => void
  readonly statuses: () => unknown
}

/** A fragment's URL and its true bytes, on an emulator that then goes wrong. */
async function prey(): Promise<Prey> {
  const it = await rig()
  const { control, url: base } = it.emulator
  const masterUrl = await openSession(base, { StreamName: 'lobby-camera' })
  const { text } = await get(playlistUrl(masterUrl))
  const [url = ''] = links(text, masterUrl, 'getMP4MediaFragment')
  const { bytes } = await get(url)
  return {
    url,
    whole: bytes,
    advance: (ms) => it.clock.advance(ms),
    run: (ms) => it.clock.run(ms),
    add: (fault) => control.addFault('lobby-camera', fault),
    statuses: () => control.counters().cameras['lobby-camera']?.calls['GetMP4MediaFragment'],
    [Symbol.asyncDispose]: () => it[Symbol.asyncDispose](),
  }
}

test('truncated: an answer that is complete by its length, and half of the fragment', async () => {
  await using it = await prey()
  it.add({ kind: 'truncate', operation: 'GetMP4MediaFragment' })
  const { status, bytes, headers } = await get(it.url)
  expect(status).toBe(200)
  expect(headers.get('content-length')).toBe(String(bytes.length))
  expect(bytes).toEqual(it.whole.subarray(0, Math.floor(it.whole.length / 2)))
})

test('garbage: the right length, the wrong bytes', async () => {
  await using it = await prey()
  it.add({ kind: 'garbage' })
  const { bytes } = await get(it.url)
  expect(bytes).toHaveLength(it.whole.length)
  expect(bytes.equals(it.whole)).toBe(false)
})

test('empty: nothing at all', async () => {
  await using it = await prey()
  it.add({ kind: 'empty' })
  expect((await get(it.url)).bytes).toHaveLength(0)
})

test('reset: the promised length does not arrive', async () => {
  await using it = await prey()
  it.add({ kind: 'reset' })
  const response = await fetch(it.url)
  expect(response.headers.get('content-length')).toBe(String(it.whole.length))
  await expect(response.arrayBuffer()).rejects.toThrow()
})

test('refused: no answer, counted as status 0', async () => {
  await using it = await prey()
  it.add({ kind: 'refuse', times: 1 })
  await expect(fetch(it.url)).rejects.toThrow()
  expect((await get(it.url)).status).toBe(200)
  expect(it.statuses()).toEqual({ 0: 1, 200: 2 })
})

test('slow: the body trickles by the clock, and arrives whole', async () => {
  await using it = await prey()
  it.add({ kind: 'slow', bytesPerSecond: it.whole.length })
  let done = false
  const answer = get(it.url).finally(() => {
    done = true
  })
  await it.run(500)
  expect(done).toBe(false)
  await it.run(1000)
  expect((await answer).bytes).toEqual(it.whole)
})

test('latency: the answer waits by the clock', async () => {
  await using it = await prey()
  it.add({ kind: 'latency', ms: 5000 })
  let done = false
  const answer = get(it.url).finally(() => {
    done = true
  })
  await it.run(4500)
  expect(done).toBe(false)
  await it.run(1000)
  expect((await answer).status).toBe(200)
})

test('a fault hits its operation and track only, as often as it was told', async () => {
  await using it = await prey()
  const fault = { kind: 'status', status: 503, type: 'ServiceUnavailable' } as const
  it.add({ ...fault, operation: 'GetMP4MediaFragment', track: 2 })
  it.add({ ...fault, operation: 'GetHLSMediaPlaylist' })
  expect((await get(it.url)).status).toBe(200)
  it.add({ ...fault, operation: 'GetMP4MediaFragment', times: 2 })
  const statuses = [await get(it.url), await get(it.url), await get(it.url)]
  expect(statuses.map(({ status }) => status)).toEqual([503, 503, 200])
})

test('with probability, some calls fail and some do not', async () => {
  await using it = await prey()
  it.add({ kind: 'html', status: 502, probability: 0.5 })
  const statuses = new Set<number>()
  for (let i = 0; i < 20; i += 1) {
    it.advance(100)
    statuses.add((await get(it.url)).status)
  }
  expect(statuses).toEqual(new Set([200, 502]))
})

test('closing does not wait for slow answers', async () => {
  const it = await prey()
  it.add({ kind: 'latency', ms: 600_000 })
  const answer = fetch(it.url).catch((error: unknown) => error)
  await it.run(100)
  await it[Symbol.asyncDispose]()
  expect(await answer).toBeInstanceOf(TypeError)
})
