import { afterEach, beforeEach, expect, test } from 'vitest'
import { systemClock } from '../../src/base/clock.ts'
import { GatewayError } from '../../src/base/errors.ts'
import { silentLog } from '../../src/base/log.ts'
import type { NodeFacts } from '../../src/cluster/leases.ts'
import { nodesOf } from '../../src/gateway/nodes-of.ts'
import { Guard } from '../../src/http/auth/guard.ts'
import { peerSecret } from '../../src/http/auth/peer-secret.ts'
import type { Nodes } from '../../src/streams/nodes.ts'
import type { StreamOrder } from '../../src/streams/stream-order.ts'
import { UpstreamAgent } from '../../src/upstream/agent.ts'
import { type PublicServer, startPublicServer } from '../support/public-server.ts'

const SECRET = 'a secret'
const agent = new UpstreamAgent()

let other: PublicServer
let done: StreamOrder[]

beforeEach(async () => {
  done = []
  other = await startPublicServer({
    guard: new Guard(systemClock, [peerSecret(SECRET)]),
    forPeers: {
      owns: () => true,
      more: () => Promise.resolve(undefined),
      renew: () => Promise.resolve(null),
      append: () => Promise.resolve(null),
      carryOut: async (_stream, order) => {
        if (order.order === 'handover') throw new GatewayError('bad_request', 'There is no other.')
        done.push(order)
      },
    },
  })
})
afterEach(() => other.close())

/** This node and two others, of which one answers and one is dead. */
function ownedBy(owner: 'self' | 'other' | 'dead' | undefined): Nodes {
  const facts = (name: string, url: string): NodeFacts => {
    return { name, url, secret: SECRET, version: '1', startedMs: 0, leaving: false }
  }
  const nodes = new Map([
    ['self', facts('a', 'http://127.0.0.1:1')],
    ['other', facts('b', other.url)],
    ['dead', facts('c', 'http://127.0.0.1:1')],
  ])
  const cluster = { node: 'self', nodes, owners: new Map<string, string>(), ownerOf: () => owner }
  return nodesOf(cluster, { agent, clock: systemClock, log: silentLog })
}

test('what only the owner can do is done there, and nowhere else', async () => {
  expect(await ownedBy('other').order('lobby', { order: 'rollover' }, 'owner')).toBe(true)
  expect(done).toEqual([{ order: 'rollover' }])
  expect(await ownedBy('self').order('lobby', { order: 'rollover' }, 'owner')).toBe(false)
  expect(await ownedBy(undefined).order('lobby', { order: 'rollover' }, 'owner')).toBe(false)
  expect(done).toHaveLength(1)
})

test('why the owner does not is told as the owner tells it', async () => {
  await expect(ownedBy('other').order('lobby', { order: 'handover' }, 'owner')).rejects.toThrow(
    new GatewayError('bad_request', 'There is no other.'),
  )
})

test('an owner that does not answer is named; another node that does not is no reason', async () => {
  const order: StreamOrder = { order: 'source', source: 'backup' }
  await expect(ownedBy('dead').order('lobby', order, 'all')).rejects.toMatchObject({
    code: 'node_away',
    message: 'The stream is c’s, which does not answer: try again.',
  })
  expect(await ownedBy('self').order('lobby', order, 'all')).toBe(false)
  expect(done).toEqual([order, order])
})
