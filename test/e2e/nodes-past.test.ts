import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { z } from 'zod'
import { preferredNode } from '../../src/cluster/rendezvous.ts'
import { callsOf } from '../proof/emulator-control.ts'
import { Nodes } from '../proof/nodes.ts'
import { SOON } from '../support/browser.ts'
import { cameraOf } from '../support/world.ts'

let nodes: Nodes

beforeAll(async () => {
  nodes = await Nodes.start({
    cameras: {
      lobby: { clip: 'av-360p' },
      porch: { clip: 'av-360p' },
      yard: { clip: 'av-360p' },
    },
    count: 2,
    cacheMaxBytes: '2MiB',
    entries: () => ({
      yard: { kvs: { streamName: cameraOf('yard') }, dvr: '2m', dvrBackfill: true },
    }),
  })
  await vi.waitFor(async () => expect(await known()).toEqual([2, 2]), SOON)
})
afterAll(() => nodes[Symbol.asyncDispose]())

describe('G15: the past is the same on every node, and worked on by one', () => {
  test('a range: lists, inits and segments, byte for byte and field for field', async () => {
    const before = await calls('lobby')
    const master = await same(`/hls/lobby/master.m3u8?${ago(600, 580)}`)
    const lists = urisOf(master.text)
    expect(lists).toHaveLength(2)
    for (const list of lists) {
      const path = `/hls/lobby/${list}`
      const { text } = await same(path)
      const folder = path.slice(0, path.lastIndexOf('/'))
      for (const uri of urisOf(text).slice(0, 3)) await same(`${folder}/${uri}`)
    }
    // What both were asked for is there by now, whichever is asked first.
    const after = await calls('lobby')
    expect(after).toBeGreaterThan(before)
    for (const list of lists) await same(`/hls/lobby/${list}`)
    expect(await calls('lobby')).toBe(after)
  })

  test('a clip: whole, in ranges, by HEAD and by its ETag', async () => {
    const path = `/clip/lobby.mp4?${ago(600, 580)}`
    const { text, head } = await same(path)
    expect(text.length).toBeGreaterThan(100_000)
    const part = await same(path, { Range: 'bytes=1000-1999' })
    expect([part.status, part.text]).toEqual([206, text.slice(1000, 2000)])
    const rest = await same(path, { Range: 'bytes=-500', 'If-Range': head['etag'] ?? '' })
    expect([rest.status, rest.text]).toEqual([206, text.slice(-500)])
    expect(await same(path, { 'If-None-Match': head['etag'] ?? '' })).toMatchObject({ status: 304 })
    expect(await same(path, { Range: 'bytes=99999999-' })).toMatchObject({ status: 416 })
    expect(await same(path, {}, 'HEAD')).toMatchObject({
      status: 200,
      head: { 'content-length': `${text.length}` },
      text: '',
    })
  })

  test('what is refused, is refused alike', async () => {
    for (const path of [
      `/clip/lobby.mp4?${ago(30 * 86_400, 30 * 86_400 - 20)}`,
      '/clip/lobby.mp4?start=x&end=y&%=../',
      `/clip/nobody.mp4?${ago(600, 580)}`,
    ]) {
      // What is looked for is 503 until it is known to be nowhere.
      const { status, head } = await vi.waitFor(() => same(path), SOON)
      expect(status).toBeGreaterThanOrEqual(400)
      expect(head['content-type']).toBe('application/problem+json')
    }
  })
})

test('none of it was done twice', async () => {
  for (const { adminUrl } of nodes.nodes.values()) {
    expect(await (await fetch(`${adminUrl}/metrics`)).text()).not.toMatch(/past_taken_over_total\{/)
  }
})

test('G8: what Redis has lost, a node has from the one that owns the stream', async () => {
  const { text } = await vi.waitFor(async () => {
    const [first, second] = await nodes.ask('/hls/yard/video.m3u8')
    expect(first?.status).toBe(200)
    expect(second?.text).toBe(first?.text)
    return first ?? { text: '' }
  }, SOON)
  const uri = urisOf(text)[0] ?? ''
  await nodes.redis.ask('EVAL', FORGET_BYTES, '0')
  const fragments = callsOf(await counters('yard'), 'GetMP4MediaFragment')
  const listed = urisOf(text).length
  const asked = await nodes.ask(`/hls/yard/${uri}`)
  expect(asked.map(({ status }) => status)).toEqual([200, 200])
  expect(asked[0]?.text).toBe(asked[1]?.text)
  // Nothing but what the camera has sent meanwhile.
  const after = callsOf(await counters('yard'), 'GetMP4MediaFragment')
  expect(after - fragments).toBeLessThan(listed)
})

test('G15: what the DVR holds is the same on every node, also what none has fetched yet', async () => {
  const list = await vi.waitFor(async () => {
    const [edition] = urisOf((await same('/hls/yard/dvr.m3u8')).text)
    const { text } = await same(`/hls/yard/${edition}`)
    // It was recorded before anybody watched.
    expect(urisOf(text).length).toBeGreaterThan(20)
    return text
  }, SOON)
  for (const uri of urisOf(list).slice(0, 4)) {
    const { status } = await same(`/hls/yard/${uri.replace('../', '')}`)
    expect(status).toBe(200)
  }
})

describe('who is no node', () => {
  test.each([undefined, 'guess'])(
    'is refused with secret %s, and nothing happens',
    async (secret) => {
      const before = await calls('porch')
      for (const { url } of await reaches()) {
        for (const path of [`/clip/porch.mp4?${ago(600, 580)}`, '/hls/porch/master.m3u8']) {
          const headers = secret === undefined ? {} : { 'X-Kvs-Hls-Peer': secret }
          const { status } = await fetch(url + path, { headers })
          expect(status).toBe(401)
        }
      }
      expect(await calls('porch')).toBe(before)
    },
  )

  test('is not heard by the public listener', async () => {
    const [answer] = await nodes.ask('/hls/lobby/master.m3u8', undefined)
    const [{ secret } = { secret: '' }] = await reaches()
    const headers = { 'X-Kvs-Hls-Peer': secret, 'X-Kvs-Hls-Client': 'x' }
    const told = await fetch(`${nodes.get('node-0').url}/hls/lobby/master.m3u8`, { headers })
    expect(told.headers.get('x-kvs-hls-by')).toBeNull()
    expect(await told.text()).toBe(answer?.text)
  })
})

test('a node that dies in the middle of a clip costs its viewer a range request', async () => {
  const path = `/clip/porch.mp4?${ago(600, 500)}`
  const [worker, other] = await workerOf('porch')
  const url = nodes.get(other).url + path
  const known = await fetch(url, { method: 'HEAD' })
  const etag = known.headers.get('etag') ?? ''
  const size = Number(known.headers.get('content-length'))
  // It knows where all bytes stand, and fetches again those that memory had no room for.
  await nodes.emulator.control.fault(cameraOf('porch'), { kind: 'latency', ms: 60_000 })
  const response = await open(url)
  const got = [await firstBytes(response)]
  const broken = expect(rest(response, got)).rejects.toThrow(/aborted/)
  await nodes.end(worker, 'SIGKILL')
  await broken
  await nodes.emulator.control.clearFaults(cameraOf('porch'))
  const start = got.reduce((sum, { length }) => sum + length, 0)
  expect(start).toBeLessThan(size)
  // The last byte that came is asked for again, to see that it is of the same file.
  const headers = { Range: `bytes=${start - 1}-`, 'If-Range': etag }
  const resumed = await fetch(url, { headers })
  expect([resumed.status, resumed.headers.get('etag')]).toEqual([206, etag])
  const bytes = Buffer.from(await resumed.arrayBuffer())
  expect(bytes).toHaveLength(size - start + 1)
  expect(bytes[0]).toBe(got.at(-1)?.at(-1))
})

/** Forgets the bytes of all fragments, as a Redis that is full may. */
const FORGET_BYTES = `
for _, key in ipairs(redis.call('KEYS', '*bytes*')) do redis.call('DEL', key) end
return 'OK'`

/** Asks one node after the other, and returns what both answer. */
async function same(path: string, headers: Record<string, string> = {}, method = 'GET') {
  const names = [...nodes.nodes.keys()]
  // Whoever asks first waits for what is fetched; then it is there.
  await answerOf(names[0] ?? '')
  const [first, ...others] = await Promise.all(names.map(answerOf))
  if (first === undefined) throw new Error('there is no node')
  for (const other of others) expect(other, path).toEqual(first)
  return first

  async function answerOf(name: string) {
    const answer = await fetch(nodes.get(name).url + path, { method, headers })
    // Where it had the bytes from is each node's own.
    const {
      'x-request-id': _id,
      'cache-status': _from,
      date: _date,
      ...head
    } = Object.fromEntries(answer.headers)
    const text = Buffer.from(await answer.arrayBuffer()).toString('latin1')
    return { status: answer.status, head, text: text.replace(/"requestId":"[^"]+"/, '') }
  }
}

function ago(startS: number, endS: number): string {
  const nowS = Math.floor(startedMs / 1_000)
  return `start=${nowS - startS}&end=${nowS - endS}`
}

const startedMs = Date.now()

function urisOf(playlist: string): readonly string[] {
  const maps = [...playlist.matchAll(/#EXT-X-(?:MAP|MEDIA):.*URI="([^"]+)"/g)].map(([, uri]) => uri)
  const lines = playlist.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return [...new Set([...maps, ...lines].flatMap((uri) => uri ?? []))]
}

async function counters(stream: string) {
  return nodes.emulator.control.counters(cameraOf(stream))
}

async function calls(stream: string): Promise<number> {
  return callsOf(await counters(stream))
}

/** How many nodes each node knows. */
function known(): Promise<readonly number[]> {
  return Promise.all(
    Array.from(nodes.nodes.keys(), async (name) => {
      const { nodes: all } = z
        .object({ nodes: z.array(z.unknown()) })
        .parse(await nodes.api(name, '/api/v1/nodes'))
      return all.length
    }),
  )
}

const reach = z.object({ name: z.string(), url: z.string(), secret: z.string() })

/** What the nodes tell each other of how they are reached. */
async function reaches(): Promise<readonly z.infer<typeof reach>[]> {
  const told = await nodes.redis.ask('HVALS', '{kvs-hls}:nodes')
  return told.split('\n').map((line) => reach.parse(JSON.parse(line.slice(line.indexOf(' ') + 1))))
}

/** Names the node that works on the past of a stream that nobody owns, and another one. */
async function workerOf(stream: string): Promise<readonly [string, string]> {
  const ids = (await nodes.redis.ask('HKEYS', '{kvs-hls}:nodes')).split('\n')
  const preferred = preferredNode(stream, ids) ?? ''
  const isPreferred = (name: string): boolean => preferred.startsWith(`${name}-`)
  const names = [...nodes.nodes.keys()].toSorted((a, b) => +isPreferred(b) - +isPreferred(a))
  return [names[0] ?? '', names[1] ?? '']
}

async function open(url: string): Promise<IncomingMessage> {
  const asked = request(url)
  asked.end()
  const [response] = (await once(asked, 'response')) as [IncomingMessage]
  return response
}

async function firstBytes(response: IncomingMessage): Promise<Buffer> {
  const [chunk] = (await once(response, 'data')) as [Buffer]
  return chunk
}

/** Reads on to the end, or until it breaks. */
async function rest(response: IncomingMessage, got: Buffer[]): Promise<void> {
  response.on('data', (chunk: Buffer) => got.push(chunk))
  await once(response, 'end')
}
