import { once } from 'node:events'
import { createServer, type Server, type ServerResponse } from 'node:http'
import http2 from 'node:http2'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Clips } from '../../src/archive/clip/clips.ts'
import { systemClock } from '../../src/base/clock.ts'
import { GatewayError } from '../../src/base/errors.ts'
import { Guard } from '../../src/http/auth/guard.ts'
import { peerSecret } from '../../src/http/auth/peer-secret.ts'
import { EVERYTHING, type Proof } from '../../src/http/auth/proof.ts'
import { PEER_FIELDS, type Peer, type Peers } from '../../src/http/peers.ts'
import type { StreamOrder } from '../../src/streams/stream-order.ts'
import { UpstreamAgent } from '../../src/upstream/agent.ts'
import { SOON } from '../support/browser.ts'
import { FIRST } from '../support/certificates.ts'
import { type PublicServer, startPublicServer } from '../support/public-server.ts'
import { ask, rawConnection } from '../support/raw-http.ts'
import { LoopRecording } from '../support/recording.ts'

const SECRET = 'a secret'
const START_S = Date.UTC(2025, 0, 1) / 1000
const CLIP = `/clip/lobby.mp4?start=${START_S}&end=${START_S + 5}`

/** Has one peer work on all of the past. */
class OnePeer implements Peers {
  url = ''
  readonly away = Promise.withResolvers<void>()
  readonly agent = new UpstreamAgent()

  publishes(): boolean {
    return false
  }

  workingOn(): Peer {
    return { url: this.url, secret: SECRET, gone: () => this.away.promise }
  }

  async request(
    { origin, path, method, headers }: Parameters<Peers['request']>[0],
    signal: AbortSignal,
  ) {
    const asked = method === 'HEAD' ? 'HEAD' : 'GET'
    return (await this.agent.load(origin)).request({ origin, path, method: asked, headers, signal })
  }
}

/** A node's past, and who asked for it. */
class Past {
  readonly recording = new LoopRecording()
  readonly by: string[] = []
  readonly clips = new Clips({
    clock: systemClock,
    maxMs: () => 600_000,
    list: (_stream, range, _signal, by) => {
      this.by.push(by)
      return Promise.resolve(this.recording.list(range))
    },
  })
}

let owned: boolean
let orders: string[]
let peers: OnePeer
let here: Past
let there: Past
let asked: PublicServer
let worker: PublicServer

beforeEach(async () => {
  owned = true
  orders = []
  peers = new OnePeer()
  here = new Past()
  there = new Past()
  worker = await startPublicServer({
    clips: there.clips,
    guard: new Guard(systemClock, [peerSecret(SECRET)]),
    forPeers: {
      owns: () => owned,
      more: () => Promise.resolve(undefined),
      carryOut,
      append: (fact) => Promise.resolve(fact),
      renew: (beat) => Promise.resolve(beat[0] === 'lost' ? null : beat),
    },
  })
  peers.url = worker.url
  asked = await startPublicServer({ clips: here.clips, peers })
})
afterEach(async () => {
  await asked.close()
  await worker.close()
  await peers.agent.destroy()
})

describe('the past is worked on by one node', () => {
  test('which answers through the one that is asked', async () => {
    const plain = await startPublicServer({ clips: new Past().clips })
    try {
      for (const headers of [{}, {}, { range: 'bytes=10-19' }, { range: 'bytes=99999999-' }]) {
        const alone = await ask(plain.url + CLIP, { headers })
        const relayed = await ask(asked.url + CLIP, { headers })
        expect(relayed.status).toBe(alone.status)
        expect(fields(relayed.headers)).toEqual(fields(alone.headers))
        if (relayed.status < 400) expect(relayed.body.equals(alone.body)).toBe(true)
        const known = { 'if-none-match': relayed.headers.etag ?? '"none"' }
        expect((await ask(asked.url + CLIP, { headers: known })).status).toBe(
          relayed.status < 400 ? 304 : 200,
        )
      }
      const head = await ask(asked.url + CLIP, { method: 'HEAD' })
      expect(fields(head.headers)).toEqual(
        fields((await ask(plain.url + CLIP, { method: 'HEAD' })).headers),
      )
    } finally {
      await plain.close()
    }
    expect(here.by).toEqual([])
    // Fairness is among viewers, not among nodes.
    expect(there.by).toEqual(['127.0.0.1'])
    expect(asked.counters.pastTakenOver.total()).toBe(0)
    expect(asked.counters.downstreamRequests.total({ class: 'clip', code: '206' })).toBe(1)
    expect(asked.counters.blockedRequests.value).toBe(0)
  })

  test('an answer for one viewer alone stays that, and is worked on in his name', async () => {
    const own: Proof = { judge: () => ({ ...EVERYTHING, vary: 'Authorization', holder: 'me' }) }
    const guarded = { guard: new Guard(systemClock, [own]) }
    const alone = await startPublicServer({ clips: new Past().clips, ...guarded })
    const relaying = await startPublicServer({ clips: here.clips, peers, ...guarded })
    try {
      for (const path of [CLIP, '/clip/lobby.mp4?start=1&end=x']) {
        const { headers } = await ask(relaying.url + path)
        expect(fields(headers)).toEqual({
          ...fields((await ask(alone.url + path)).headers),
          ...(path !== CLIP && { 'content-length': headers['content-length'] }),
        })
        expect(headers['cache-control']).toMatch(/^private, /)
        expect(headers.vary).toBe('Authorization')
      }
    } finally {
      await relaying.close()
      await alone.close()
    }
    expect(there.by).toEqual(['me'])
  })

  test('problem documents and their ids are handed through', async () => {
    const { status, headers, body } = await ask(`${asked.url}/clip/lobby.mp4?start=1&end=x`)
    expect(status).toBe(400)
    const problem = JSON.parse(String(body)) as { requestId: string }
    expect(headers['x-request-id']).toBe(problem.requestId)
    expect(asked.counters.downstreamRequests.total({ class: 'clip', code: '400' })).toBe(1)
  })

  test('where it refuses connections, or this node, the work is done here', async () => {
    peers.url = 'http://127.0.0.1:1'
    expect((await ask(asked.url + CLIP)).status).toBe(200)
    expect(here.by).toHaveLength(1)
    peers.url = worker.url
    vi.spyOn(peers, 'workingOn').mockReturnValue({ ...peers.workingOn(), secret: 'another' })
    expect((await ask(asked.url + CLIP)).status).toBe(200)
    expect(there.by).toEqual([])
    expect(asked.counters.pastTakenOver.total({ stream: 'lobby' })).toBe(2)
  })

  test('where it stands still, the work is done here once it is no node any more', async () => {
    const gate = Promise.withResolvers<undefined>()
    there.recording.before = () => gate.promise
    const answer = ask(asked.url + CLIP)
    await vi.waitFor(() => expect(there.by).toHaveLength(1), SOON)
    peers.away.resolve()
    expect((await answer).status).toBe(200)
    expect(here.by).toHaveLength(1)
    gate.resolve(undefined)
  })

  test('a viewer who leaves ends the work there', async () => {
    const gate = Promise.withResolvers<undefined>()
    there.recording.before = () => gate.promise
    const socket = await rawConnection(asked.port)
    socket.write(`GET ${CLIP} HTTP/1.1\r\nHost: x\r\n\r\n`)
    await vi.waitFor(() => expect(there.by).toHaveLength(1), SOON)
    socket.destroy()
    await vi.waitFor(() => expect(asked.counters.blockedRequests.value).toBe(0), SOON)
    await vi.waitFor(() => expect(worker.counters.blockedRequests.value).toBe(0), SOON)
    expect(here.by).toEqual([])
    gate.resolve(undefined)
  })

  test('over HTTP/2 viewers get the same', async () => {
    const secure = await startPublicServer({ clips: here.clips, peers, tls: FIRST })
    const session = http2.connect(secure.url.replace('http:', 'https:'), { ca: FIRST.cert })
    try {
      for (const headers of [{}, { range: 'bytes=10-19' }, { ':method': 'HEAD' }]) {
        const stream = session.request({ ':path': CLIP, ...headers })
        const [head] = (await once(stream, 'response')) as [http2.IncomingHttpHeaders]
        const chunks: Buffer[] = []
        for await (const chunk of stream) chunks.push(chunk as Buffer)
        const { ':method': method = 'GET', ...plain } = headers as Record<string, string>
        const alone = await ask(asked.url + CLIP, { method, headers: plain })
        expect(head[':status']).toBe(alone.status)
        expect(head.etag).toBe(alone.headers.etag)
        expect(head['content-length']).toBe(alone.headers['content-length'])
        expect(Buffer.concat(chunks).equals(alone.body)).toBe(true)
      }
    } finally {
      session.destroy()
      await secure.close()
    }
    expect(here.by).toEqual([])
    expect(secure.counters.pastTakenOver.total()).toBe(0)
  })

  test('one that stands still in the middle is let go of once it is no node any more', async () => {
    const still = await breaksOff(() => {})
    try {
      peers.url = still.url
      const answer = await fetch(asked.url + CLIP)
      peers.away.resolve()
      await expect(answer.arrayBuffer()).rejects.toThrow()
      expect(here.by).toEqual([])
    } finally {
      still.server.closeAllConnections()
      still.server.close()
    }
  })

  test('what breaks off there, breaks off here', async () => {
    const other = await breaksOff()
    try {
      peers.url = other.url
      await expect(ask(asked.url + CLIP).then(({ status }) => status)).rejects.toThrow(/aborted/)
      expect(here.by).toEqual([])
    } finally {
      other.server.close()
    }
  })
})

describe('the listener for other nodes', () => {
  const ours = { [PEER_FIELDS.secret]: SECRET }

  test.each([{}, { [PEER_FIELDS.secret]: 'a guess' }])('refuses with %o', async (headers) => {
    for (const path of [CLIP, '/hls/lobby/video.m3u8']) {
      expect((await ask(worker.url + path, { headers })).status).toBe(401)
    }
    expect(there.by).toEqual([])
    expect(worker.lobby.touches).toBe(0)
  })

  test('gives media, fetches it for others only where it owns the stream, and keeps none awake for it', async () => {
    worker.lobby.inits.set('initV', Buffer.from('init'))
    worker.lobby.upstream.set('lobby/video/101-id101', {
      size: 7,
      hold: 'none',
      source: async function* () {
        yield Buffer.from('fetched')
      },
    })
    const get = async (path: string): Promise<string> => {
      const { status, body } = await ask(`${worker.url}/hls/lobby/${path}`, { headers: ours })
      return status === 200 ? body.toString() : String(status)
    }
    owned = false
    expect(await get('video/init-initV.mp4')).toBe('init')
    expect(await get('video/101-id101.m4s')).toBe('404')
    owned = true
    expect(await get('video/101-id101.m4s')).toBe('fetched')
    owned = false
    expect(await get('video/101-id101.m4s')).toBe('fetched')
    expect(worker.lobby.touches).toBe(0)
  })

  test('renews leases and appends facts for who has no Redis', async () => {
    const renew = (body: string, headers: Record<string, string> = ours): Promise<Response> =>
      fetch(`${worker.url}/renew`, {
        method: 'POST',
        body,
        headers: { ...headers, 'Content-Type': 'application/json' },
      })
    expect(await (await renew('["node", 1]')).json()).toEqual(['node', 1])
    expect(await (await renew('["lost"]')).json()).toBeNull()
    expect((await renew('{}')).status).toBe(400)
    const fact = ['lobby', 'node', '1', 7, '{}', 1]
    const append = { method: 'POST', headers: { ...ours, 'Content-Type': 'application/json' } }
    const appended = await fetch(`${worker.url}/append`, { ...append, body: JSON.stringify(fact) })
    expect(await appended.json()).toEqual(fact)
    expect((await fetch(`${worker.url}/append`, { ...append, body: '["lobby"]' })).status).toBe(400)
    expect((await renew('["node", 1]', {})).status).toBe(401)
    expect((await fetch(`${asked.url}/renew`, { method: 'POST', headers: ours })).status).toBe(405)
  })

  test('carries out orders, and says why it cannot', async () => {
    const order = async (body: object, headers: Record<string, string> = ours): Promise<unknown> =>
      (
        await fetch(`${worker.url}/orders/lobby`, {
          method: 'POST',
          body: JSON.stringify(body),
          headers: { ...headers, 'Content-Type': 'application/json' },
        })
      ).json()
    expect(await order({ order: 'source', source: 'backup' })).toBeNull()
    expect(await order({ order: 'handover' })).toMatchObject({ code: 'bad_request', detail: 'no' })
    expect(await order({ order: 'dance' })).toMatchObject({ status: 400 })
    expect(await order({ order: 'stop' }, {})).toMatchObject({ status: 401 })
    expect(orders).toEqual(['lobby source', 'lobby handover'])
  })

  test('wakes nothing', async () => {
    for (const stream of ['lobby', 'yard']) {
      const path = `${worker.url}/hls/${stream}/master.m3u8`
      expect((await ask(path, { headers: ours })).status).toBe(502)
    }
    expect(worker.registry.requested).toEqual([])
  })
})

async function carryOut(stream: string, { order }: StreamOrder): Promise<void> {
  orders.push(`${stream} ${order}`)
  if (order === 'handover') throw new GatewayError('bad_request', 'no')
}

function fields({ date: _date, ...fields }: Record<string, unknown>): Record<string, unknown> {
  return { ...fields, 'x-request-id': undefined }
}

/** A node that ends in the middle of its answer, or does something else then. */
async function breaksOff(
  then = (response: ServerResponse) => void response.destroy(),
): Promise<{ server: Server; url: string }> {
  const server = createServer((_request, response: ServerResponse) => {
    response.writeHead(200, { 'Content-Length': '1000' }).write('half of it', () => {
      then(response)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}
