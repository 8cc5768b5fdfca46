import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { systemClock } from '../../src/base/clock.ts'
import { RedisTier, type RedisTierOptions } from '../../src/cluster/redis-tier.ts'
import type { FragmentBody } from '../../src/store/fragment-body.ts'
import { type FragmentKey, recordedKey } from '../../src/store/fragment-key.ts'
import { savedBody } from '../../src/store/fragment-tier.ts'
import { fragmentTierContract, readTier, wholeTier } from '../contract/fragment-tier.ts'
import { usedBytes } from '../e2e/support/heap.ts'
import { freePort } from '../proof/free-port.ts'
import { RedisServer, type RedisServerOptions } from '../proof/redis-server.ts'
import { cacheOf } from '../support/fragment-cache.ts'
import { Link } from '../support/link.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { RedisConnections } from '../support/redis-connections.ts'
import { hasTool } from '../support/tools.ts'

const SOON = { timeout: 60_000 }
const CHUNK_BYTES = 128 * 1024
const never = new AbortController().signal

/** Bytes that are other ones at each place. */
function bytesOf(length: number, seed = 1): Buffer {
  const bytes = Buffer.alloc(length)
  let state = seed
  for (let at = 0; at < length; at += 1) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    bytes[at] = state >>> 24
  }
  return bytes
}

const keyOf = (at: number, stream = 'lobby'): FragmentKey => ({
  stream,
  rendition: 'video',
  fragment: `${at}-0123456789abcdef`,
  form: 'published',
})

async function readAll(body: FragmentBody): Promise<Buffer> {
  await body.more(body.size - 1, never)
  return body.bytes
}

async function readFrom(tier: RedisTier, key: FragmentKey, offset = 0): Promise<Buffer> {
  const chunks: Buffer[] = []
  const saved = await tier.get(key, never)
  for await (const chunk of saved?.from(offset, never) ?? []) chunks.push(chunk)
  return Buffer.concat(chunks)
}

describe.skipIf(!hasTool('redis-server'))('fragments in Redis', () => {
  let shared: RedisServer
  let connections: RedisConnections
  const servers: RedisServer[] = []
  let prefixes = 0

  beforeAll(async () => {
    shared = await RedisServer.start()
  })
  beforeEach(() => {
    connections = new RedisConnections()
  })
  afterEach(async () => {
    await connections.close()
    for (const server of servers.splice(0)) await server.kill()
  })
  afterAll(async () => {
    await shared.kill()
  })

  async function start(options?: RedisServerOptions): Promise<RedisServer> {
    const server = await RedisServer.start(options)
    servers.push(server)
    return server
  }

  /** The tier of one node; those with the same prefix are nodes of one gateway. */
  async function tierOf(url: string, options: Partial<RedisTierOptions> = {}): Promise<RedisTier> {
    const redis = options.redis ?? (await connections.ready(url))
    prefixes += 1
    const note = (event: string): void => {
      connections.lines.push({ event, fields: {} })
    }
    const log = { debug: note, info: note, warn: note, error: note }
    return new RedisTier({
      redis,
      prefix: `test-${prefixes}`,
      clock: systemClock,
      log,
      maxStreamBytes: 64 * 2 ** 20,
      ...options,
    })
  }

  fragmentTierContract('RedisTier', async (maxStreamBytes) =>
    wholeTier(await tierOf(shared.url, { maxStreamBytes })),
  )

  test('what one node has put another one finds, from any offset', async () => {
    const [owner, follower] = [
      await tierOf(shared.url, { prefix: 'p' }),
      await tierOf(shared.url, { prefix: 'p' }),
    ]
    const sizes = [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES, 700_000]
    for (const [at, size] of sizes.entries()) await owner.put(keyOf(at), bytesOf(size), 'listed')
    for (const [at, size] of sizes.entries()) {
      expect((await follower.get(keyOf(at), never))?.size).toBe(size)
      expect((await readFrom(follower, keyOf(at))).equals(bytesOf(size))).toBe(true)
    }
    await fc.assert(
      fc.asyncProperty(fc.nat(700_000), async (offset) => {
        const rest = await readFrom(follower, keyOf(6), offset)
        expect(rest.equals(bytesOf(700_000).subarray(offset))).toBe(true)
      }),
      { numRuns: 30 },
    )
    // What is another's is not a follower's to delete.
    await follower.delete(keyOf(6))
    expect(await readFrom(follower, keyOf(6))).toHaveLength(700_000)
    await owner.delete(keyOf(6))
    expect(await follower.get(keyOf(6), never)).toBeUndefined()
  })

  test('other gateways on the same Redis have other fragments', async () => {
    const [one, other] = [await tierOf(shared.url), await tierOf(shared.url)]
    await one.put(keyOf(1), bytesOf(10), 'listed')
    expect(await other.get(keyOf(1), never)).toBeUndefined()
  })

  test('G12: of bytes that were damaged, cut or moved, nothing beyond what is right is given', async () => {
    const tier = await tierOf(shared.url, { prefix: 'damage' })
    const bytes = bytesOf(3 * CHUNK_BYTES)
    const name = (at: number): string =>
      `{damage}:bytes:lobby/video/${at}-0123456789abcdef/published`
    const damages: readonly (readonly [number, (name: string) => Promise<unknown>])[] = [
      [2, (key) => shared.ask('SETRANGE', key, `${2 * CHUNK_BYTES + 100}`, 'x')],
      [1, (key) => shared.ask('SETRANGE', key, `${CHUNK_BYTES + 10}`, 'xxxx')],
      [0, (key) => shared.ask('SETRANGE', key, '0', 'xxxx')],
      [0, (key) => shared.ask('SETRANGE', key, '4', 'xxxx')],
      [0, (key) => shared.ask('SET', key, 'short')],
      [2, (key) => shared.ask('EVAL', CUT, '1', key, `${2 * CHUNK_BYTES + 16 + 99}`)],
      [1, (key) => shared.ask('EVAL', CUT, '1', key, `${CHUNK_BYTES + 8 - 1}`)],
      [0, (key) => shared.ask('EVAL', CUT, '1', key, '100')],
      [0, (key) => shared.ask('COPY', name(99), key, 'REPLACE')],
    ]
    await tier.put(keyOf(99), bytes, 'listed')
    for (const [at, [chunks, damage]] of damages.entries()) {
      await tier.put(keyOf(at), bytes, 'listed')
      await damage(name(at))
      const given = await readFrom(tier, keyOf(at))
      expect([at, given.equals(bytes.subarray(0, chunks * CHUNK_BYTES))]).toEqual([at, true])
      expect(await readTier(tier, keyOf(at))).toBeUndefined()
    }
  })

  test('what nobody deletes expires', async () => {
    const tier = await tierOf(shared.url, { prefix: 'expiry', keepMs: 60_000 })
    await tier.put(keyOf(1), bytesOf(10), 'listed')
    const ms = Number(
      await shared.ask('PTTL', `{expiry}:bytes:lobby/video/1-0123456789abcdef/published`),
    )
    expect(ms).toBeGreaterThan(0)
    expect(ms).toBeLessThanOrEqual(60_000)
  })

  test('G18: each stream has its bound, and what has expired counts no more', async () => {
    const clock = new ManualClock()
    const tier = await tierOf(shared.url, { maxStreamBytes: 300, clock, keepMs: 60_000 })
    for (const stream of ['lobby', 'yard']) {
      for (let at = 0; at < 5; at += 1)
        await tier.put(keyOf(at, stream), bytesOf(100, at), 'listed')
      const found = [0, 1, 2, 3, 4].map(async (at) => await readTier(tier, keyOf(at, stream)))
      expect((await Promise.all(found)).map((bytes) => bytes !== undefined)).toEqual([
        false,
        false,
        true,
        true,
        true,
      ])
    }
    const past = recordedKey('lobby', 'video', 7n, 'fetched')
    await tier.put(past, bytesOf(100), 'spare')
    expect(await tier.get(past, never)).toBeUndefined()
    clock.advance(60_000)
    await tier.put(past, bytesOf(100), 'spare')
    expect(await readTier(tier, past)).toEqual(bytesOf(100))
    expect(tier.streams).toBe(1)
  })

  test('G8: bytes reach all who wait while they come from Redis, which is asked for each once', async () => {
    const server = await start()
    const link = await Link.to(server.url)
    const bytes = bytesOf(700_000)
    const owner = await tierOf(server.url, { prefix: 'p' })
    await owner.put(keyOf(1), bytes, 'listed')
    const tier = await tierOf(link.over(server.url), { prefix: 'p' })
    const cache = cacheOf(systemClock, tier)
    const plan = {
      size: bytes.length,
      hold: 'none' as const,
      source: (offset: number) => savedBody(bytes).from(offset, never),
    }
    link.hold(300_000)
    const bodies = [1, 2, 3, 4, 5].map(() => cache.fetch(keyOf(1), plan, never))
    for (const body of bodies) {
      await body.more(CHUNK_BYTES, never)
      expect(body.arrived).toBeLessThan(bytes.length)
      expect(body.bytes.subarray(0, body.arrived).equals(bytes.subarray(0, body.arrived))).toBe(
        true,
      )
    }
    link.release()
    for (const body of bodies) expect((await readAll(body)).equals(bytes)).toBe(true)
    expect(cache.fetch(keyOf(1), plan, never).origin).toBe('hit')
    await link.close()

    const { source, ...rest } = plan
    await owner.put(keyOf(2), bytes, 'listed')
    await server.ask('CONFIG', 'RESETSTAT')
    const other = cacheOf(systemClock, await tierOf(server.url, { prefix: 'p' }))
    const asked: number[] = []
    const counted = (offset: number): AsyncIterable<Buffer> => {
      asked.push(offset)
      return source(offset)
    }
    const waiting = [1, 2, 3, 4, 5].map(() =>
      other.fetch(keyOf(2), { ...rest, source: counted }, never),
    )
    for (const body of waiting) expect((await readAll(body)).equals(bytes)).toBe(true)
    expect(asked).toEqual([])
    expect(await server.ask('INFO', 'commandstats')).toContain('cmdstat_getrange:calls=6,')
  })

  test('a Redis that is killed costs nothing but what it had, and is used when it is back', async () => {
    const port = await freePort()
    const server = await start({ port })
    const redis = await connections.ready(server.url)
    const tier = await tierOf(server.url, { redis })
    await tier.put(keyOf(1), bytesOf(500_000), 'listed')
    const reading = await tier.get(keyOf(1), never)
    await server.kill()
    await expect.poll(() => redis.ready, SOON).toBe(false)
    const left: Buffer[] = []
    for await (const chunk of reading?.from(0, never) ?? []) left.push(chunk)
    expect(Buffer.concat(left).equals(bytesOf(500_000).subarray(0, CHUNK_BYTES))).toBe(true)
    await tier.put(keyOf(2), bytesOf(10), 'listed')
    expect(await tier.get(keyOf(2), never)).toBeUndefined()
    await tier.delete(keyOf(1))

    await start({ port })
    await expect.poll(() => redis.ready, SOON).toBe(true)
    expect(await tier.get(keyOf(1), never)).toBeUndefined()
    // As its owner does for one who asks.
    await tier.put(keyOf(1), bytesOf(500_000), 'listed')
    await tier.put(keyOf(1), bytesOf(500_000), 'listed')
    expect(await readTier(tier, keyOf(1))).toEqual(bytesOf(500_000))
  })

  test('G18: a Redis that stands still delays one fragment, and costs no more memory than is on its way', async () => {
    const server = await start()
    const redis = await connections.ready(server.url, { maxPendingBytes: 8 * 2 ** 20 })
    const tier = await tierOf(server.url, { redis, maxStreamBytes: 2 ** 30 })
    const bytes = bytesOf(2 ** 20)
    await tier.put(keyOf(0), bytes, 'listed')
    const before = await usedBytes()
    server.pause()
    await tier.put(keyOf(1), bytes, 'listed')
    for (let at = 2; at < 200; at += 1) await tier.put(keyOf(at), bytes, 'listed')
    expect((await usedBytes()) - before).toBeLessThan(24 * 2 ** 20)
    expect(await tier.get(keyOf(0), never)).toBeUndefined()
    server.resume()
    await expect
      .poll(async () => {
        await tier.put(keyOf(200), bytes, 'listed')
        return (await readTier(tier, keyOf(200)))?.equals(bytes)
      }, SOON)
      .toBe(true)
  })

  test.each([
    ['allkeys-lru', 'loses old bytes'],
    ['noeviction', 'takes no more'],
  ])(
    'a Redis that is full, with %s, %s: what is found is right, and nothing fails',
    async (policy) => {
      const server = await start({ args: ['--maxmemory', '2mb', '--maxmemory-policy', policy] })
      const tier = await tierOf(server.url)
      for (let at = 0; at < 60; at += 1) await tier.put(keyOf(at), bytesOf(100_000, at), 'listed')
      let found = 0
      for (let at = 0; at < 60; at += 1) {
        const bytes = await readTier(tier, keyOf(at))
        if (bytes === undefined) continue
        found += 1
        expect(bytes.equals(bytesOf(100_000, at))).toBe(true)
      }
      expect(found).toBeGreaterThan(0)
      expect(found).toBeLessThan(60)
      const told = policy === 'noeviction' ? ['redis cache fails'] : []
      expect(connections.lines.map(({ event }) => event)).toEqual(told)

      await server.ask('CONFIG', 'SET', 'maxmemory', '100mb')
      await tier.put(keyOf(60), bytesOf(100_000), 'listed')
      expect(await readTier(tier, keyOf(60))).toEqual(bytesOf(100_000))
      const healed = policy === 'noeviction' ? [...told, 'redis cache works again'] : []
      expect(connections.lines.map(({ event }) => event)).toEqual(healed)
    },
  )

  test('who leaves stops the reading, and nothing of it is left over', async () => {
    const server = await start()
    const tier = await tierOf(server.url)
    await tier.put(keyOf(1), bytesOf(2 ** 20), 'listed')
    const left = new AbortController()
    const saved = await tier.get(keyOf(1), left.signal)
    const reading = saved?.from(0, left.signal)[Symbol.asyncIterator]()
    await reading?.next()
    server.pause()
    left.abort(new Error('gone'))
    await expect(reading?.next()).rejects.toThrow('gone')
    await expect(tier.get(keyOf(1), left.signal)).rejects.toThrow('gone')
    server.resume()
    expect(await readTier(tier, keyOf(1))).toEqual(bytesOf(2 ** 20))
  })
})

const CUT = "return redis.call('SET', KEYS[1], redis.call('GETRANGE', KEYS[1], 0, ARGV[1]))"
