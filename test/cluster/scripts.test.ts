import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ClusterKeys } from '../../src/cluster/keys.ts'
import type { RedisConnection, Script } from '../../src/cluster/redis-connection.ts'
import { APPEND, BEAT, CLAIM, READ, RELEASE, STRIKE } from '../../src/cluster/scripts.ts'
import { RedisServer } from '../proof/redis-server.ts'
import { RedisConnections } from '../support/redis-connections.ts'
import { LeaseTable } from './lease-table.ts'

let server: RedisServer
let connections: RedisConnections
let redis: RedisConnection
let runs = 0

beforeAll(async () => {
  server = await RedisServer.start()
  connections = new RedisConnections()
  redis = await connections.ready(server.url)
})
afterAll(async () => {
  await connections.close()
  await server.kill()
})

const node = fc.constantFrom('a', 'b')
const stream = fc.constantFrom('lobby', 'porch')
const token = fc.constantFrom('1', '2')
/** Over at once, or not before the test is. */
const ttl = fc.constantFrom(0, 1_000_000)

const beat = fc.record({
  script: fc.constant(BEAT),
  node,
  ttl,
  held: fc.array(fc.tuple(stream, token, fc.constantFrom(0, 1)), { maxLength: 3 }),
  wishes: fc.array(fc.tuple(stream, ttl), { maxLength: 2 }),
})
const claim = fc.record({
  script: fc.constant(CLAIM),
  stream,
  node,
  token,
  ttl,
  fromOthers: fc.constantFrom(0, 1),
})
const release = fc.record({ script: fc.constant(RELEASE), stream, node, token })
const leave = fc.record({ script: fc.constant(STRIKE), node })

const step = fc.oneof(beat, claim, release, leave)
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

type Command = readonly [Script, readonly string[], readonly (string | number)[]]

function commandOf(each: Step, keys: ClusterKeys): Command {
  if ('held' in each) {
    const { held, wishes, ttl: forMs } = each
    const args = [
      each.node,
      `{"of":"${each.node}"}`,
      forMs,
      held.length,
      ...held.flat(),
      ...wishes.flat(),
    ]
    return [each.script, [keys.nodes, keys.leases, keys.wishes], args]
  }
  if ('ttl' in each)
    return [
      each.script,
      [keys.leases],
      [each.stream, each.node, each.token, each.ttl, each.fromOthers],
    ]
  if ('stream' in each) {
    return [each.script, [keys.leases], [each.stream, each.node, each.token, keys.freed]]
  }
  return [each.script, [keys.nodes], [each.node]]
}

describe('the scripts of leases', () => {
  test('do in Redis what the model of them does', async () => {
    const steps = fc.array(step, { maxLength: 30 })
    await fc.assert(
      fc.asyncProperty(steps, async (history) => {
        runs += 1
        const keys = new ClusterKeys(`run-${runs}`)
        const model = new LeaseTable()
        for (const [at, each] of history.entries()) {
          const [script, names, args] = commandOf(each, keys)
          const reply = await redis.eval(script, names, args)
          expect(plain(reply)).toEqual(plain(model.run(script, args.map(String), at)))
        }
      }),
      { numRuns: 60 },
    )
  })
})

/** A reply whose order and remaining times do not matter. */
function plain(reply: unknown): unknown {
  if (!Array.isArray(reply)) return reply
  const [nodes, leases, wishes, lost] = reply as string[][]
  return {
    nodes: chunks(nodes ?? [], 2).toSorted(byText),
    leases: chunks(leases ?? [], 3)
      .map(([name, owner]) => `${name} ${owner}`)
      .toSorted(byText),
    wishes: chunks(wishes ?? [], 2)
      .map(([name]) => name)
      .toSorted(byText),
    lost: lost?.toSorted(byText),
  }
}

function byText(a: unknown, b: unknown): number {
  return String(a).localeCompare(String(b))
}

function chunks<T>(flat: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(flat.length / size) }, (_, i) =>
    flat.slice(i * size, (i + 1) * size),
  )
}

describe('G1: facts of a stream', () => {
  const keys = new ClusterKeys('facts')

  const claimed = (by: string, number: string, forMs = 1_000_000): Promise<unknown> =>
    redis.eval(CLAIM, [keys.leases], ['lobby', by, number, forMs, 1])
  const append = (
    by: string,
    held: string,
    number: number,
    fact: string,
    isWhole = false,
  ): Promise<unknown> =>
    redis.eval(
      APPEND,
      [keys.leases, keys.stream('lobby'), keys.facts('lobby')],
      ['lobby', by, held, number, fact, isWhole ? 1 : 0, 60_000, keys.facts('lobby')],
    )
  const read = (): Promise<unknown> =>
    redis.eval(READ, [keys.stream('lobby'), keys.facts('lobby')], [])

  test('are appended by the owner alone, each behind the one before it', async () => {
    expect(await read()).toEqual([])
    expect(await append('a', '1', 0, 'x')).toBe('fenced')
    expect(await claimed('a', '1', 0)).toBe('')
    expect(await append('a', '1', 1, 'x')).toBe('behind')
    expect(await append('a', '1', 4, 'whole', true)).toBe('ok')
    expect(await append('a', '1', 5, 'five')).toBe('ok')
    // The answer got lost: it is told once more, and nothing happens.
    expect(await append('a', '1', 5, 'five again')).toBe('ok')
    expect(await append('a', '1', 4, 'four')).toBe('ahead')
    expect(await append('a', '1', 7, 'seven')).toBe('behind')
    expect(await read()).toEqual(['5', 'whole', ['five'], ''])
    // Another takes over: the first one may not say a word any more, whatever it says.
    expect(await claimed('b', '1')).toBe('')
    expect(await append('a', '1', 6, 'six')).toBe('fenced')
    expect(await append('a', '1', 6, 'all', true)).toBe('fenced')
    expect(await append('b', '1', 5, 'less', true)).toBe('ahead')
    expect(await append('b', '1', 6, 'six')).toBe('ok')
    expect(await read()).toEqual(['6', 'whole', ['five', 'six'], ''])
    expect(await append('b', '1', 7, 'all', true)).toBe('ok')
    expect(await read()).toEqual(['7', 'all', [], ''])
  })

  test('expire by themselves', async () => {
    expect(Number(await server.ask('PTTL', keys.stream('lobby')))).toBeGreaterThan(0)
    expect(await append('b', '1', 8, 'eight')).toBe('ok')
    expect(Number(await server.ask('PTTL', keys.facts('lobby')))).toBeGreaterThan(0)
  })
})
