import { setImmediate as nextTurn } from 'node:timers/promises'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Clock } from '../../src/base/clock.ts'
import { silentLog } from '../../src/base/log.ts'
import { ClusterKeys } from '../../src/cluster/keys.ts'
import { BEAT_MS, type BeatArgs, Leases } from '../../src/cluster/leases.ts'
import type {
  Limit,
  RedisArgument,
  RedisConnection,
  Script,
  Subscriber,
} from '../../src/cluster/redis-connection.ts'
import { preferredNode } from '../../src/cluster/rendezvous.ts'
import type { StreamLease } from '../../src/cluster/stream-lease.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { LeaseTable } from './lease-table.ts'

const STREAMS = ['lobby', 'porch', 'yard']
/** The finest step in which time goes on here. */
const STEP_MS = 20

/** What happens to what a node sends, and to what it is answered. */
interface Weather {
  readonly requestMs: number
  readonly replyMs: number
  readonly loses: 'nothing' | 'request' | 'reply'
}

const FAIR: Weather = { requestMs: 1, replyMs: 1, loses: 'nothing' }

/** A node whose process may stand still, with its timers, while time goes on. */
class Node implements Pick<RedisConnection, 'eval' | 'ready' | 'subscribe'> {
  readonly id: string
  readonly leases: Leases
  readonly owned: readonly StreamLease[]
  readonly life = new AbortController()
  weather: Weather = FAIR
  /** Whether other nodes reach it. */
  peering: 'fair' | 'cut' = 'fair'
  readonly #time: ManualClock
  readonly #cluster: Cluster
  readonly #heard = new Set<Subscriber>()
  #paused = false
  #due: (() => void)[] = []

  constructor(id: string, cluster: Cluster) {
    this.id = id
    this.#time = cluster.time
    this.#cluster = cluster
    const clock = this.#clock()
    this.leases = new Leases({
      clock,
      log: silentLog,
      redis: this,
      channels: this,
      keys: new ClusterKeys('test'),
      node: id,
      viaPeer: ({ url }, args) => this.#relay(url, args),
      facts: () => ({ name: id, url: id, secret: '', version: '1', startedMs: 0 }),
    })
    this.owned = STREAMS.map((stream) => this.leases.of(stream, true))
    for (const lease of this.owned) lease.want(Number.MAX_SAFE_INTEGER / 2)
    void this.leases.run(this.life.signal)
  }

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    this.#paused = false
    const due = this.#due
    this.#due = []
    for (const work of due) work()
  }

  /** What a stream does whose lease is to go to another node. */
  obey(): void {
    if (this.#paused) return
    for (const lease of this.owned) {
      if (lease.token !== undefined && lease.isBelieved && !lease.isMine) void lease.release()
    }
  }

  hear(message: string): void {
    this.#when(() => {
      for (const listener of this.#heard) listener.message(message)
    })
  }

  get ready(): boolean {
    return this.#cluster.redis.state !== 'refuses'
  }

  async eval(
    script: Script,
    _keys: readonly string[],
    args: readonly RedisArgument[],
    { deadlineMs = 2_000 }: Limit = {},
  ): Promise<unknown> {
    const { requestMs, replyMs, loses } = this.weather
    const { redis } = this.#cluster
    if (redis.state === 'refuses') throw new Error('no connection')
    return this.#inTime(deadlineMs, (resolve) => {
      if (loses === 'request') return
      this.#time.alarm(requestMs, () =>
        redis.do(() => {
          const reply = redis.table.run(script, args.map(String), this.#time.now())
          if (loses !== 'reply') this.#time.alarm(replyMs, () => resolve(reply))
        }),
      )
    })
  }

  /** Asks another node over the links that both have. */
  async #relay(url: string, args: BeatArgs): Promise<unknown> {
    const peer = this.#cluster.nodes.find(({ id }) => id === url)
    // Its port is closed.
    if (peer === undefined) return null
    return this.#inTime(1_000, (resolve) => {
      if (this.peering === 'cut' || peer.peering === 'cut') return
      const answer = (reply: unknown): void => void this.#time.alarm(20, () => resolve(reply))
      this.#time.alarm(20, () =>
        peer.#when(() => {
          peer.leases.relay(args).then(answer, () => {})
        }),
      )
    })
  }

  /** Begins what resolves in time, or rejects; either is noticed when the process goes on. */
  #inTime(ms: number, begin: (resolve: (reply: unknown) => void) => void): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const cancel = this.#time.alarm(ms, () => this.#when(() => reject(new Error('no answer'))))
      begin((reply) =>
        this.#when(() => {
          cancel()
          resolve(reply)
        }),
      )
    })
  }

  subscribe(_channel: string, subscriber: Subscriber): () => void {
    this.#heard.add(subscriber)
    return () => this.#heard.delete(subscriber)
  }

  /** Does it now, or when the process goes on. */
  #when(work: () => void): void {
    if (this.#paused) this.#due.push(work)
    else work()
  }

  #clock(): Clock {
    const time = this.#time
    return {
      now: () => time.now(),
      date: () => time.date(),
      sleep: (ms, signal) => time.sleep(ms, signal),
      alarm: (ms, ring) => time.alarm(ms, () => this.#when(ring)),
    }
  }
}

/** A Redis that may be gone, or stand still with all that was sent to it. */
class ModelRedis {
  readonly table: LeaseTable
  state: 'answers' | 'refuses' | 'hangs' = 'answers'
  #waiting: (() => void)[] = []

  constructor(told: (message: string) => void) {
    this.table = new LeaseTable((_, message) => told(message))
  }

  do(command: () => void): void {
    if (this.state === 'answers') command()
    if (this.state === 'hangs') this.#waiting.push(command)
  }

  enter(state: ModelRedis['state']): void {
    this.state = state
    if (state === 'hangs') return
    const waiting = this.#waiting
    this.#waiting = []
    if (state === 'answers') for (const command of waiting) command()
  }
}

class Cluster {
  readonly time = new ManualClock()
  readonly redis: ModelRedis
  nodes: Node[] = []

  constructor(count: number) {
    this.redis = new ModelRedis((message) => {
      for (const node of this.nodes) node.hear(message)
    })
    for (let i = 0; i < count; i += 1) this.nodes.push(new Node(`n${i}`, this))
  }

  /** Lets time go on; after each step every stream has one owner at most. */
  async pass(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += STEP_MS) {
      this.time.advance(STEP_MS)
      await nextTurn()
      for (const node of this.nodes) node.obey()
      for (const stream of STREAMS) {
        const owners = this.ownersOf(stream)
        if (owners.length > 1) throw new Error(`${stream} is owned by ${owners.join(' and ')}`)
      }
    }
  }

  ownersOf(stream: string): string[] {
    return this.nodes
      .filter(({ owned }) => owned.some((lease) => lease.stream === stream && lease.isBelieved))
      .map(({ id }) => id)
  }

  /** @throws Error when it has no owner within the time of two beats */
  async untilOwned(stream: string): Promise<void> {
    for (let passed = 0; this.ownersOf(stream).length === 0; passed += STEP_MS) {
      if (passed > 2 * BEAT_MS) throw new Error(`nobody owns ${stream}`)
      await this.pass(STEP_MS)
    }
  }

  end(): void {
    for (const { life } of this.nodes) life.abort()
  }
}

const weather = fc.record({
  requestMs: fc.nat(1_500),
  replyMs: fc.nat(1_500),
  loses: fc.constantFrom<Weather['loses']>('nothing', 'nothing', 'request', 'reply'),
})

const trouble = fc.oneof(
  fc.record({ kind: fc.constant('weather' as const), node: fc.nat(2), weather }),
  fc.record({ kind: fc.constant('fair' as const), node: fc.nat(2) }),
  fc.record({ kind: fc.constantFrom('pause', 'resume'), node: fc.nat(2) }),
  fc.record({ kind: fc.constantFrom('leave', 'kill', 'cut', 'join'), node: fc.nat(2) }),
  fc.record({
    kind: fc.constantFrom('answers', 'refuses', 'hangs', 'forgets'),
    node: fc.nat(2),
  }),
)

describe('G1, G3: two nodes never both own a stream', () => {
  test('whatever is delayed, lost, paused or killed; and when all is well again, every stream has an owner', async () => {
    const history = fc.array(fc.tuple(trouble, fc.nat(2_500)), { maxLength: 12 })
    await fc.assert(
      fc.asyncProperty(history, async (events) => {
        const cluster = new Cluster(3)
        await cluster.pass(3_000)
        for (const [event, ms] of events) {
          const node = cluster.nodes[event.node % cluster.nodes.length]
          if (node !== undefined) suffer(cluster, node, event)
          await cluster.pass(ms)
        }
        cluster.redis.enter('answers')
        for (const node of cluster.nodes) {
          node.weather = FAIR
          node.peering = 'fair'
          node.resume()
        }
        await cluster.pass(6_000)
        // One may be on its way to another node just now.
        for (const stream of STREAMS) await cluster.untilOwned(stream)
        cluster.end()
      }),
      { numRuns: 100 },
    )
  })

  test('one that dies is replaced within 3 s', async () => {
    const cluster = new Cluster(3)
    await cluster.pass(4_000)
    const [owner] = cluster.ownersOf('lobby')
    cluster.nodes.find(({ id }) => id === owner)?.life.abort()
    cluster.nodes = cluster.nodes.filter(({ id }) => id !== owner)
    await cluster.pass(2_500)
    expect(cluster.ownersOf('lobby')).toHaveLength(1)
    cluster.end()
  })

  test('one that leaves hands its streams over at once', async () => {
    const cluster = new Cluster(2)
    await cluster.pass(4_000)
    const [owner] = cluster.ownersOf('lobby')
    cluster.nodes.find(({ id }) => id === owner)?.leases.leave()
    await cluster.pass(200)
    expect(cluster.ownersOf('lobby')).not.toContain(owner)
    expect(cluster.ownersOf('lobby')).toHaveLength(1)
    cluster.end()
  })

  for (const state of ['refuses', 'hangs'] as const) {
    test(`owners go on while Redis ${state}, because nobody else can take over`, async () => {
      const cluster = new Cluster(3)
      await cluster.pass(20_000)
      const before = STREAMS.map((stream) => cluster.ownersOf(stream))
      cluster.redis.enter(state)
      for (let passed = 0; passed < 60_000; passed += 500) {
        await cluster.pass(500)
        expect(STREAMS.map((stream) => cluster.ownersOf(stream))).toEqual(before)
      }
      cluster.redis.enter('answers')
      if (state === 'refuses') cluster.redis.table.clear()
      await cluster.pass(4_000)
      expect(STREAMS.map((stream) => cluster.ownersOf(stream))).toEqual(before)
      cluster.end()
    })
  }

  test('one that Redis does not reach goes on by the others, and is replaced when they do not reach it either', async () => {
    const cluster = new Cluster(3)
    await cluster.pass(20_000)
    const [owner] = cluster.ownersOf('lobby')
    const node = cluster.nodes.find(({ id }) => id === owner)
    if (node === undefined) throw new Error('nobody owns it')
    node.weather = { ...FAIR, loses: 'request' }
    await cluster.pass(20_000)
    expect(cluster.ownersOf('lobby')).toEqual([owner])
    node.peering = 'cut'
    await cluster.pass(3_000)
    expect(cluster.ownersOf('lobby')).not.toEqual([owner])
    expect(cluster.ownersOf('lobby')).toHaveLength(1)
    cluster.end()
  })

  test('all goes on where Redis was emptied', async () => {
    const cluster = new Cluster(3)
    await cluster.pass(4_000)
    const before = STREAMS.map((stream) => cluster.ownersOf(stream))
    cluster.redis.table.clear()
    await cluster.pass(4_000)
    expect(STREAMS.map((stream) => cluster.ownersOf(stream))).toEqual(before)
    cluster.end()
  })

  test('who stood still takes nothing that Redis has forgotten meanwhile, as its owner still believes in it', async () => {
    for (let phase = 0; phase < BEAT_MS; phase += STEP_MS) {
      const cluster = new Cluster(3)
      await cluster.pass(4_000 + phase)
      const [, node] = cluster.nodes
      node?.pause()
      await cluster.pass(2_500)
      cluster.redis.table.clear()
      node?.resume()
      await cluster.pass(1_000)
      cluster.end()
    }
  })

  test('nothing moves while all is well, and streams move one by one to a node that came', async () => {
    const cluster = new Cluster(2)
    await cluster.pass(20_000)
    const before = STREAMS.map((stream) => cluster.ownersOf(stream))
    await cluster.pass(20_000)
    expect(STREAMS.map((stream) => cluster.ownersOf(stream))).toEqual(before)
    cluster.nodes.push(new Node('n2', cluster))
    await cluster.pass(20_000)
    const ids = cluster.nodes.map(({ id }) => id)
    for (const stream of STREAMS) {
      expect(cluster.ownersOf(stream)).toEqual([preferredNode(stream, ids)])
    }
    cluster.end()
  })
})

test('of many streams each node is to own its share, and only those of a node that goes move', () => {
  const names = Array.from({ length: 900 }, (_, i) => `cam-${i}`)
  const nodes = ['a', 'b', 'c']
  const shares = nodes.map(
    (node) => names.filter((name) => preferredNode(name, nodes) === node).length,
  )
  for (const share of shares) expect(share).toBeGreaterThan(230)
  for (const name of names) {
    const owner = preferredNode(name, nodes)
    if (owner !== 'c') expect(preferredNode(name, ['b', 'a'])).toBe(owner)
  }
  expect(preferredNode('cam-1', [])).toBeUndefined()
})

interface Event {
  readonly kind: string
  readonly weather?: Weather
}

function suffer(cluster: Cluster, node: Node, { kind, weather: sky }: Event): void {
  if (kind === 'weather' && sky !== undefined) node.weather = sky
  if (kind === 'fair') node.weather = FAIR
  if (kind === 'pause') node.pause()
  if (kind === 'resume') node.resume()
  if (kind === 'cut') node.peering = 'cut'
  if (kind === 'join') node.peering = 'fair'
  if (kind === 'forgets') cluster.redis.table.clear()
  if (kind === 'answers' || kind === 'refuses' || kind === 'hangs') cluster.redis.enter(kind)
  // One node stays, so that there is somebody to own what is left.
  if (cluster.nodes[0] === node) return
  if (kind === 'leave') node.leases.leave()
  if (kind === 'kill') {
    node.pause()
    node.life.abort()
    cluster.nodes = cluster.nodes.filter((other) => other !== node)
  }
}
