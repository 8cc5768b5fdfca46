import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { ContinuityMonitor } from '../proof/continuity-monitor.ts'
import type { KnownSegments } from '../proof/known-segments.ts'
import { Nodes } from '../proof/nodes.ts'
import { RedisSentinel } from '../proof/redis-sentinel.ts'
import { infoOf, RedisServer } from '../proof/redis-server.ts'
import { SOON } from '../support/browser.ts'
import { hasTool } from '../support/tools.ts'
import { cameraOf } from '../support/world.ts'

const NAMES = ['node-0', 'node-1']

let nodes: Nodes
let replica: RedisServer
let sentinel: RedisSentinel

describe.skipIf(!hasTool('redis-server'))('two nodes, and Sentinel', () => {
  beforeAll(async () => {
    nodes = await Nodes.start({
      cameras: { lobby: { clip: 'av-360p', tfdtBase: 'session' } },
      count: 0,
      entries: () => ({
        lobby: { kvs: { streamName: cameraOf('lobby') }, activation: 'always', dvr: '1m' },
      }),
    })
    const { port } = nodes.redis
    replica = await RedisServer.start({ args: ['--replicaof', '127.0.0.1', `${port}`] })
    sentinel = await RedisSentinel.start(port)
    for (const name of NAMES) await nodes.add(name, { redisUrl: sentinel.url })
    await vi.waitFor(async () => {
      expect(await replica.ask('INFO', 'replication')).toContain('master_link_status:up')
      expect(await sentinel.replicas()).toBe(1)
    }, SOON)
  })
  afterAll(async () => {
    await sentinel.kill()
    await nodes[Symbol.asyncDispose]()
    await replica.kill()
  })

  test('G1, G3: when the master dies, viewers notice nothing', async () => {
    const end = new AbortController()
    const known = new Map<string, KnownSegments>()
    await nodes.grown('lobby', 1)
    const monitors = NAMES.map(
      (name) =>
        new ContinuityMonitor(nodes.get(name).watchUrl('lobby'), { signal: end.signal, known }),
    )
    const following = monitors.map((monitor) => monitor.follow())
    await nodes.grown('lobby', 2)
    await nodes.redis.kill()
    // Each has three connections there.
    await vi.waitFor(async () => {
      expect(infoOf(await replica.ask('INFO', 'clients'), 'connected_clients')).toBeGreaterThan(6)
    }, SOON)
    await nodes.grown('lobby', 4)
    end.abort()
    await Promise.all(following)
    for (const monitor of monitors) {
      expect(monitor.report()).toMatchObject({ faults: [], discontinuities: 0, missed: 0 })
    }
    const { sessionsAtOnce } = await nodes.emulator.control.counters(cameraOf('lobby'))
    expect(sessionsAtOnce).toBeLessThanOrEqual(2)
  })
})
