import { afterEach, beforeEach, expect, test } from 'vitest'
import { systemClock } from '../../src/base/clock.ts'
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

test('where nobody has it, what is told is why the owner has not', async () => {
  await expect(read(failing)).rejects.toThrow('upstream has lost it')
})

function reachOf(i: number): Reach {
  return { url: others[i]?.url ?? '', secret: SECRET }
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

async function read(fetchAgain: () => AsyncIterable<Buffer>): Promise<string> {
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
    timelines: { more: () => Promise.resolve(undefined) },
  }
  const track = SEGMENT.tracks.video
  if (track === undefined) throw new Error('it has no video')
  const peers = new PeerNodes(cluster, systemClock, agent)
  const chunks: Buffer[] = []
  for await (const chunk of peers.segment('lobby', SEGMENT, track, 0, never, fetchAgain)) {
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}
