import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { networkInterfaces } from 'node:os'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { systemClock } from '../../src/base/clock.ts'
import { listenerUrl } from '../../src/base/listener-url.ts'
import type { Reach } from '../../src/cluster/leases.ts'
import { type PeerCluster, PeerNodes } from '../../src/gateway/peer-nodes.ts'
import { Guard } from '../../src/http/auth/guard.ts'
import { peerSecret } from '../../src/http/auth/peer-secret.ts'
import { publishedKey } from '../../src/store/fragment-key.ts'
import { UpstreamAgent } from '../../src/upstream/agent.ts'
import { segment } from '../support/literal-stream.ts'
import { type PublicServer, startPublicServer } from '../support/public-server.ts'

const SECRET = 'a secret'
const BYTES = Buffer.from('0123456789')
const SEGMENT = segment(100)
const PATIENT_MS = 240_000
const never = new AbortController().signal

/** Two other nodes; neither owns the stream. */
const others: PublicServer[] = []
const agent = new UpstreamAgent()
let owner: Reach | undefined

beforeEach(async () => {
  owner = undefined
  for (const _ of [0, 1]) {
    others.push(
      await startPublicServer({
        guard: new Guard(systemClock, [peerSecret(SECRET)]),
        forPeers: {
          owns: () => false,
          more: () => Promise.resolve(undefined),
          renew: () => Promise.resolve(null),
          append: () => Promise.resolve(null),
          carryOut: () => Promise.resolve(),
        },
      }),
    )
  }
})
afterEach(async () => {
  for (const other of others.splice(0)) await other.close()
})

test('G6: what a new owner cannot get is given by a node that has it', async () => {
  has(1)
  expect(await read(failing)).toBe('0123456789')
})

test('G6: goes on where the one before broke off', async () => {
  has(1)
  async function* breaksOff(): AsyncGenerator<Buffer> {
    yield BYTES.subarray(0, 4)
    throw new Error('broken off')
  }
  expect(await read(breaksOff)).toBe('0123456789')
})

test('G6: a node that does not own the stream any more still gives what it has', async () => {
  has(0)
  owner = reachOf(0)
  expect(await read(failing)).toBe('0123456789')
})

test('G8: nobody else is asked where the owner gets it', async () => {
  has(0)
  expect(await read(fetching)).toBe('fetched')
})

test('G6: an owner that stands still in the middle of it is left for one that does not', async () => {
  has(1)
  const still = await serve((_request, response) => {
    const head = { 'content-length': BYTES.length, 'content-range': `bytes 0-9/10` }
    response.writeHead(206, head).write(BYTES.subarray(0, 4))
  })
  try {
    owner = still.reach
    expect(await read(failing, 300)).toBe('0123456789')
  } finally {
    still.close()
  }
})

test.skipIf(!hasIpv6())('a node may be at an IPv6 address', async () => {
  const there = await serve((_request, response) => response.writeHead(206).end(BYTES), '::1')
  try {
    owner = there.reach
    expect(owner.url).toMatch(/^http:\/\/\[::1\]:/)
    expect(await read(failing)).toBe('0123456789')
  } finally {
    there.close()
  }
})

test('where nobody has it, what is told is why the owner has not', async () => {
  await expect(read(failing)).rejects.toThrow('upstream has lost it')
})

function reachOf(i: number): Reach {
  return { url: others[i]?.url ?? '', secret: SECRET }
}

/** A node that answers as the listener does. */
async function serve(
  listener: RequestListener,
  host = '127.0.0.1',
): Promise<{ readonly reach: Reach; close: () => void }> {
  const server: Server = createServer(listener)
  server.listen(0, host)
  await once(server, 'listening')
  const url = listenerUrl(server.address() as AddressInfo, host)
  const close = (): void => {
    server.closeAllConnections()
    server.close()
  }
  return { reach: { url, secret: SECRET }, close }
}

function hasIpv6(): boolean {
  return Object.values(networkInterfaces())
    .flat()
    .some((one) => one?.address === '::1')
}

function has(i: number): void {
  const id = SEGMENT.tracks.video?.id ?? ''
  others[i]?.store.put(publishedKey('lobby', 'video', SEGMENT.msn, id), BYTES, 'none')
}

async function* failing(): AsyncGenerator<Buffer> {
  yield Buffer.alloc(0)
  throw new Error('upstream has lost it')
}

async function* fetching(): AsyncGenerator<Buffer> {
  yield Buffer.from('fetched')
}

/** @param ownerMs how long the owner may be silent; left out: longer than any machine is slow */
async function read(
  fetchAgain: () => AsyncIterable<Buffer>,
  ownerMs = PATIENT_MS,
): Promise<string> {
  const reaches = [reachOf(0), reachOf(1)]
  const cluster: PeerCluster = {
    node: 'this one',
    nodes: new Map(),
    owners: new Map(),
    ownerOf: () => undefined,
    ownerReach: () => owner,
    othersReach: () => reaches,
    workerOf: () => 'this one',
    relay: () => Promise.resolve(null),
    timelines: { more: () => Promise.resolve(undefined), relay: () => Promise.resolve(null) },
  }
  const track = SEGMENT.tracks.video
  if (track === undefined) throw new Error('it has no video')
  const peers = new PeerNodes(cluster, systemClock, agent, { ownerMs, otherMs: PATIENT_MS })
  const chunks: Buffer[] = []
  for await (const chunk of peers.segment('lobby', SEGMENT, track, 0, never, fetchAgain)) {
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}
