import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ContinuityMonitor } from '../proof/continuity-monitor.ts'
import type { KnownSegments } from '../proof/known-segments.ts'
import { Nodes } from '../proof/nodes.ts'
import { RedisServer } from '../proof/redis-server.ts'
import { Link } from '../support/link.ts'
import { hasTool } from '../support/tools.ts'
import { cameraOf } from '../support/world.ts'

const STREAM = 'lobby'
/** Longer than a lease. */
const AWAY_MS = 3_500

interface Seat {
  readonly name: string
  readonly link: Link
  readonly watchUrl: string
}

let nodes: Nodes
let redis: RedisServer
const seats: Seat[] = []
const known = new Map<string, KnownSegments>()

const hasAll = hasTool('redis-server') && hasTool('faketime')

describe.skipIf(!hasAll)('G1: two nodes, whose clocks are a minute apart', () => {
  beforeAll(async () => {
    nodes = await Nodes.start({
      cameras: { [STREAM]: { clip: 'av-360p', tfdtBase: 'session' } },
      count: 0,
      entries: () => ({
        [STREAM]: { kvs: { streamName: cameraOf(STREAM) }, activation: 'always', dvr: '1m' },
      }),
    })
    redis = nodes.redis
    for (const [name, clockS] of [
      ['node-0', 0],
      ['node-1', 60],
    ] as const) {
      const link = await Link.to(redis.url)
      const node = await nodes.add(name, { redisUrl: link.over(redis.url), clockS })
      seats.push({ name, link, watchUrl: node.watchUrl(STREAM) })
    }
    await nodes.grown(STREAM, 2)
  })

  afterAll(async () => {
    await nodes[Symbol.asyncDispose]()
    for (const { link } of seats) await link.close()
    await redis.kill()
  })

  test('one that is cut off from Redis, owner or not, goes on, and so does the other', () =>
    unnoticed(async () => {
      for (const who of [await owner(), await follower(), await owner()]) {
        who.link.cut()
        await nodes.grown(STREAM, 4)
        who.link.mend()
        await nodes.grown(STREAM, 2)
      }
    }))

  test('one whose commands arrive, but no answers, neither owns nor shows what is not so', () =>
    unnoticed(async () => {
      for (const who of [await owner(), await follower()]) {
        who.link.hold(0)
        await away()
        who.link.release()
        await nodes.grown(STREAM, 2)
      }
    }))

  test('all are cut off', () =>
    unnoticed(async () => {
      for (const { link } of seats) link.cut()
      await away()
      for (const { link } of seats) link.mend()
      await nodes.grown(STREAM, 2)
    }))

  test('Redis dies and comes back empty', () =>
    unnoticed(async () => {
      const { port } = redis
      await redis.kill()
      await away()
      redis = await RedisServer.start({ port })
      await nodes.grown(STREAM, 3)
    }))

  test('Redis forgets what it likes, because it has no room', () =>
    unnoticed(async () => {
      await redis.ask('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru')
      await redis.ask('CONFIG', 'SET', 'maxmemory', '4mb')
      await nodes.grown(STREAM, 4)
      await redis.ask('CONFIG', 'SET', 'maxmemory', '0')
      await nodes.grown(STREAM, 2)
    }))
})

/** Of what happens the viewers of both notice nothing: no byte that changes, no break, nothing that is not there. */
async function unnoticed(happening: () => Promise<void>): Promise<void> {
  const end = new AbortController()
  const watching = seats.map(({ name, watchUrl }) => ({
    name,
    monitor: new ContinuityMonitor(watchUrl, { signal: end.signal, known }),
  }))
  const following = watching.map(({ monitor }) => monitor.follow())
  try {
    await happening()
    for (const { monitor } of watching) await monitor.poll()
  } finally {
    end.abort()
    await Promise.all(following)
  }
  for (const { name, monitor } of watching) {
    const { faults, discontinuities } = monitor.report()
    expect({ name, faults, discontinuities }).toEqual({ name, faults: [], discontinuities: 0 })
  }
  const { sessionsAtOnce } = await nodes.emulator.control.counters(cameraOf(STREAM))
  expect(sessionsAtOnce).toBeLessThanOrEqual(2)
}

/** Real processes measure their leases by themselves: nothing but time makes one run out. */
const away = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, AWAY_MS))

/** Who owns the stream, as both have it. */
async function owner(): Promise<Seat> {
  const name = await nodes.agreedOwner(STREAM)
  const seat = seats.find((one) => one.name === name)
  if (seat === undefined) throw new Error(`owned by ${name}`)
  return seat
}

async function follower(): Promise<Seat> {
  const { name } = await owner()
  const seat = seats.find((other) => other.name !== name)
  if (seat === undefined) throw new Error('there is no other node')
  return seat
}
