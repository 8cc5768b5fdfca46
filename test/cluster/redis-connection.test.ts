import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { inspect } from 'node:util'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { type Script, type Subscriber, script } from '../../src/cluster/redis-connection.ts'
import { Child } from '../proof/child-process.ts'
import { freePort } from '../proof/free-port.ts'
import { RedisServer, type RedisServerOptions } from '../proof/redis-server.ts'
import { FIRST } from '../support/certificates.ts'
import { RedisConnections } from '../support/redis-connections.ts'
import { hasTool } from '../support/tools.ts'

const SOON = { timeout: 60_000 }
const ADD: Script = script("return { redis.call('INCRBY', KEYS[1], ARGV[1]), ARGV[2] }")

let open: RedisConnections
const servers: RedisServer[] = []

async function start(options?: RedisServerOptions): Promise<RedisServer> {
  const server = await RedisServer.start(options)
  servers.push(server)
  return server
}

/** What a subscriber is told. */
function heard(): Subscriber & { readonly told: string[] } {
  const told: string[] = []
  return {
    told,
    message: (text) => void told.push(text),
    subscribed: () => void told.push('(subscribed)'),
  }
}

describe.skipIf(!hasTool('redis-server'))('a connection to Redis', () => {
  let shared: RedisServer
  beforeAll(async () => {
    shared = await RedisServer.start()
    open = new RedisConnections()
  })
  afterEach(async () => {
    await open.close()
    open = new RedisConnections()
    for (const server of servers.splice(0)) await server.kill()
  })
  afterAll(async () => {
    await shared.kill()
  })

  test('bytes are kept, read whole and in part, expire, and are deleted', async () => {
    const redis = await open.ready(shared.url)
    const bytes = Buffer.from([0, 255, 13, 10, 36])
    await redis.set('bytes', bytes, 60_000)
    expect(await redis.get('bytes')).toEqual(bytes)
    expect(await redis.getRange('bytes', 1, 2)).toEqual(bytes.subarray(1, 3))
    expect(await redis.getRange('bytes', 4, 99)).toEqual(bytes.subarray(4))
    expect(Number(await shared.ask('PTTL', 'bytes'))).toBeGreaterThan(50_000)
    await redis.delete(['bytes', 'other'])
    expect(await redis.get('bytes')).toBeUndefined()
    expect(await redis.getRange('bytes', 0, 9)).toHaveLength(0)
    await redis.set('soon', 'x', 1)
    await expect.poll(() => redis.get('soon'), SOON).toBeUndefined()
  })

  test('a script is sent once, and again to a server that does not know it any more', async () => {
    const redis = await open.ready(shared.url)
    const reply = z.tuple([z.int(), z.string()])
    expect(reply.parse(await redis.eval(ADD, ['sum'], [2, 'a']))).toEqual([2, 'a'])
    expect(reply.parse(await redis.eval(ADD, ['sum'], ['3', 'b']))).toEqual([5, 'b'])
    await shared.ask('SCRIPT', 'FLUSH')
    expect(reply.parse(await redis.eval(ADD, ['sum'], [1, 'c']))).toEqual([6, 'c'])
    expect(await shared.ask('SCRIPT', 'EXISTS', ADD.sha)).toBe('1')
  })

  test('what is published is heard, and the end of a subscription is one', async () => {
    const [writer, reader] = [await open.ready(shared.url), await open.ready(shared.url)]
    const [facts, others] = [heard(), heard()]
    const leave = reader.subscribe('facts', facts)
    reader.subscribe('others', others)
    expect(() => reader.subscribe('facts', facts)).toThrow('listened to already')
    await expect
      .poll(() => [facts.told, others.told], SOON)
      .toEqual(Array(2).fill(['(subscribed)']))
    await writer.publish('facts', 'é 1')
    await expect.poll(() => facts.told, SOON).toEqual(['(subscribed)', 'é 1'])
    leave()
    await expect.poll(() => shared.ask('PUBSUB', 'NUMSUB', 'facts'), SOON).toBe('facts\n0')
    await writer.publish('facts', '2')
    await writer.publish('others', '3')
    await expect.poll(() => others.told, SOON).toEqual(['(subscribed)', '3'])
    expect(facts.told).toHaveLength(2)
  })

  test('what Redis refuses fails by its code, and nothing of the command is told', async () => {
    const redis = await open.ready(shared.url)
    await shared.ask('LPUSH', 'list', 'x')
    const refused = redis.eval(script('return redis.call("GET", KEYS[1])'), ['list'], ['hunter2'])
    await expect(refused).rejects.toMatchObject({ name: 'RedisError', failure: 'refused' })
    await expect(refused).rejects.toThrow('WRONGTYPE')
    expect(inspect(await refused.catch((error: unknown) => error), { depth: 9 })).not.toContain(
      'hunter2',
    )
  })

  test('while Redis is away commands fail at once, and it is used again when it is back', async () => {
    const port = await freePort()
    const redis = open.open(`redis://127.0.0.1:${port}`)
    const told = heard()
    redis.subscribe('facts', told)
    await expect(redis.get('x')).rejects.toMatchObject({ failure: 'away' })
    await expect.poll(() => open.lines.length, SOON).toBe(1)
    for (const life of [1, 2]) {
      const server = await start({ port })
      await expect.poll(() => redis.ready, SOON).toBe(true)
      await expect.poll(() => told.told, SOON).toHaveLength(life)
      await redis.set('x', `${life}`, 60_000)
      await server.kill()
      await expect.poll(() => redis.ready, SOON).toBe(false)
      await expect(redis.set('x', 'y', 1)).rejects.toMatchObject({ failure: 'away' })
      await expect
        .poll(() => open.lines.map(({ event }) => event), SOON)
        .toEqual(
          Array(life).fill(['redis is away', 'redis is back']).flat().concat('redis is away'),
        )
    }
    expect(open.lines[0]?.fields).toMatchObject({
      redis: `redis://127.0.0.1:${port}`,
      error: { failure: 'away', message: expect.stringContaining('ECONNREFUSED') as string },
    })
  })

  test('a server that answers nothing is given up, and all that waits for it', async () => {
    const server = await start()
    const redis = await open.ready(server.url, { maxPending: 100, maxPendingBytes: 1e6 })
    server.pause()
    const hasty = redis.get('x', { deadlineMs: 50 })
    await expect(hasty).rejects.toMatchObject({ failure: 'late' })
    const left = new AbortController()
    const leaving = redis.get('x', { signal: left.signal })
    left.abort(new Error('gone'))
    await expect(leaving).rejects.toThrow('gone')
    // G18: who has left does not give back what is still on its way.
    const big = Buffer.alloc(400_000)
    const sent = [redis.set('a', big, 1e3), redis.set('b', big, 1e3), redis.set('c', big, 1e3)]
    await expect(sent[2]).rejects.toMatchObject({ failure: 'busy' })
    const gets = Array.from({ length: 97 }, () => redis.get('x', { deadlineMs: 60_000 }))
    await expect(gets.at(-1)).rejects.toMatchObject({ failure: 'busy' })
    const ends = await Promise.allSettled([...sent, ...gets])
    expect(ends.every(({ status }) => status === 'rejected')).toBe(true)
    expect(redis.ready).toBe(false)
    server.resume()
    await expect.poll(() => redis.ready, SOON).toBe(true)
    await redis.set('c', big, 60_000)
    await Promise.all(Array.from({ length: 99 }, () => redis.get('x')))
  })

  test('a Redis that is slow is no outage', async () => {
    const server = await start()
    const redis = await open.ready(server.url)
    server.pause()
    await expect(redis.get('x', { deadlineMs: 20 })).rejects.toMatchObject({ failure: 'late' })
    server.resume()
    expect(await redis.get('x', { deadlineMs: 60_000 })).toBeUndefined()
    expect(open.lines).toEqual([])
  })

  test('after its end nothing is open, and nothing is sent', async () => {
    const server = await start()
    const redis = await open.ready(server.url, { name: 'gateway' })
    await expect.poll(() => server.ask('CLIENT', 'LIST'), SOON).toContain('name=gateway')
    await open.close()
    expect(redis.ready).toBe(false)
    await expect(redis.get('x')).rejects.toMatchObject({ failure: 'away' })
    await expect.poll(() => server.ask('CLIENT', 'LIST'), SOON).not.toContain('name=gateway')
  })

  test('an ACL user and a database', async () => {
    const server = await start({
      args: ['--user', ...'gateway on >hunter2 ~* &* +@all'.split(' ')],
    })
    const redis = await open.ready(`redis://gateway:hunter2@127.0.0.1:${server.port}/3`)
    await redis.set('x', 'y', 60_000)
    expect(await server.ask('-n', '3', 'GET', 'x')).toBe('y')
    expect(await server.ask('CLIENT', 'LIST')).toContain('user=gateway')
  })

  test('G16: a password that is wrong is told without it, once', async () => {
    const server = await start({ args: ['--user', ...'gateway on >right ~* &* +@all'.split(' ')] })
    const redis = open.open(`redis://gateway:hunter2@127.0.0.1:${server.port}`)
    const tries = async (): Promise<number> =>
      Number(/^count\n(\d+)$/m.exec(await server.ask('ACL', 'LOG'))?.[1] ?? 0)
    await expect.poll(tries, SOON).toBeGreaterThan(2)
    expect(open.lines).toHaveLength(1)
    const told = inspect(open.lines, { depth: 9 })
    expect(told).toContain('WRONGPASS')
    expect(told).not.toContain('hunter2')
    expect(redis.ready).toBe(false)
  })

  test('rediss: is TLS, to whom we trust alone', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'redis-tls-'))
    const file = (name: string): string => join(folder, name)
    await writeFile(file('cert'), FIRST.cert)
    await writeFile(file('key'), FIRST.key)
    const port = await freePort()
    const tls = [
      '--tls-port',
      `${port}`,
      '--tls-cert-file',
      file('cert'),
      '--tls-key-file',
      file('key'),
    ]
    const server = await start({ args: [...tls, '--tls-auth-clients', 'no'] })
    const trusted = getCACertificates('default')
    try {
      open.open(`rediss://localhost:${port}`)
      await expect
        .poll(() => inspect(open.lines, { depth: 9 }), SOON)
        .toContain('self-signed certificate')
      setDefaultCACertificates([FIRST.cert.toString()])
      const redis = await open.ready(`rediss://localhost:${port}`)
      await redis.set('x', 'y', 60_000)
      expect(await server.ask('GET', 'x')).toBe('y')
    } finally {
      setDefaultCACertificates(trusted)
      await rm(folder, { recursive: true, force: true })
    }
  })

  test('Sentinels tell where the master is, and where it is next', async () => {
    const [first, second] = [await start(), await start()]
    await second.ask('REPLICAOF', '127.0.0.1', `${first.port}`)
    await expect
      .poll(() => second.ask('INFO', 'replication'), SOON)
      .toContain('master_link_status:up')
    const folder = await mkdtemp(join(tmpdir(), 'redis-sentinel-'))
    const port = await freePort()
    const settings = [
      `port ${port}`,
      'bind 127.0.0.1',
      `sentinel monitor lobby 127.0.0.1 ${first.port} 1`,
      'sentinel down-after-milliseconds lobby 500',
    ]
    await writeFile(join(folder, 'sentinel.conf'), settings.join('\n'))
    const sentinel = await Child.start({
      command: 'redis-server',
      args: ['sentinel.conf', '--sentinel'],
      cwd: folder,
      env: { PATH: process.env['PATH'] ?? '' },
      ready: /\+monitor master lobby/,
    })
    try {
      const nobody = await freePort()
      const url = `redis+sentinel://127.0.0.1:${nobody},127.0.0.1:${port}/lobby`
      const redis = await open.ready(url)
      await redis.set('x', '1', 60_000)
      expect(await first.ask('GET', 'x')).toBe('1')
      // It is found once it has told of itself.
      await expect
        .poll(() => second.ask('-p', `${port}`, 'SENTINEL', 'REPLICAS', 'lobby'), SOON)
        .toContain(`${second.port}`)
      await first.kill()
      await expect
        .poll(
          () =>
            redis.set('x', '2', 60_000).then(
              () => 'set',
              () => 'away',
            ),
          SOON,
        )
        .toBe('set')
      expect(await second.ask('GET', 'x')).toBe('2')
    } finally {
      await sentinel.stop()
      await rm(folder, { recursive: true, force: true })
    }
  })

  test('Sentinels that say nothing are passed over', async () => {
    const master = await start()
    const silent = createServer().listen(0, '127.0.0.1')
    await once(silent, 'listening')
    const folder = await mkdtemp(join(tmpdir(), 'redis-sentinel-'))
    const port = await freePort()
    const settings = [`port ${port}`, `sentinel monitor lobby 127.0.0.1 ${master.port} 1`]
    await writeFile(join(folder, 'sentinel.conf'), settings.join('\n'))
    const sentinel = await Child.start({
      command: 'redis-server',
      args: ['sentinel.conf', '--sentinel'],
      cwd: folder,
      env: { PATH: process.env['PATH'] ?? '' },
      ready: /\+monitor master lobby/,
    })
    try {
      const { port: nobody } = silent.address() as AddressInfo
      const hosts = [nobody, nobody, port].map((at) => `127.0.0.1:${at}`)
      const redis = await open.ready(`redis+sentinel://${hosts.join()}/lobby`)
      await redis.set('x', '1', 60_000)
      expect(await master.ask('GET', 'x')).toBe('1')
    } finally {
      await sentinel.stop()
      silent.close()
      await rm(folder, { recursive: true, force: true })
    }
  })

  test('a subscription that Redis refuses is said once, and asked for again', async () => {
    const server = await start({
      args: ['--user', ...'gateway on >x ~* +@all'.split(' '), 'resetchannels'],
    })
    const reader = open.open(`redis://gateway:x@127.0.0.1:${server.port}`)
    const told = heard()
    reader.subscribe('facts', told)
    const tries = async (): Promise<number> =>
      Number(/^count\n(\d+)$/m.exec(await server.ask('ACL', 'LOG'))?.[1] ?? 0)
    await expect.poll(tries, SOON).toBeGreaterThan(1)
    expect(open.lines.map(({ event }) => event)).toEqual(['redis refuses a subscription'])
    await server.ask('ACL', 'SETUSER', 'gateway', 'allchannels')
    await expect.poll(() => told.told, SOON).toEqual(['(subscribed)'])
  })

  test('a master that has become a replica is left', async () => {
    const [first, second] = [await start(), await start()]
    const redis = await open.ready(first.url)
    const changed = redis.changed(AbortSignal.timeout(SOON.timeout))
    await first.ask('REPLICAOF', '127.0.0.1', `${second.port}`)
    await expect(redis.set('x', '1', 60_000)).rejects.toThrow('READONLY')
    await changed
  })

  test('a Redis Cluster, from any of its members, with scripts of several keys', async () => {
    const members = [
      await start({ args: ['--cluster-enabled', 'yes'] }),
      await start({ args: ['--cluster-enabled', 'yes'] }),
    ]
    const [first, second] = members
    await first?.ask('CLUSTER', 'ADDSLOTSRANGE', '0', '8000')
    await second?.ask('CLUSTER', 'ADDSLOTSRANGE', '8001', '16383')
    await first?.ask('CLUSTER', 'MEET', '127.0.0.1', `${second?.port}`)
    for (const member of members) {
      await expect.poll(() => member.ask('CLUSTER', 'INFO'), SOON).toContain('cluster_state:ok')
    }
    const url = `redis+cluster://127.0.0.1:${first?.port}`
    const [redis, reader] = [await open.ready(url), await open.ready(url)]
    const told = heard()
    reader.subscribe('{a}:facts', told)
    await expect.poll(() => told.told, SOON).toEqual(['(subscribed)'])
    const both = script("redis.call('SET', KEYS[1], ARGV[1]); return redis.call('GET', KEYS[2])")
    for (const prefix of ['{a}', '{b}', '{c}', '{d}']) {
      await redis.set(`${prefix}:y`, prefix, 60_000)
      expect(await redis.eval(both, [`${prefix}:x`, `${prefix}:y`], ['1'])).toBe(prefix)
      expect(await redis.getRange(`${prefix}:x`, 0, 9)).toEqual(Buffer.from('1'))
    }
    await redis.publish('{a}:facts', 'heard')
    await expect.poll(() => told.told, SOON).toEqual(['(subscribed)', 'heard'])
  })
})
