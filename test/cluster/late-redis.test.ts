import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { silentLog } from '../../src/base/log.ts'
import { RedisError } from '../../src/cluster/redis-error.ts'
import { type FragmentCommands, RedisTier } from '../../src/cluster/redis-tier.ts'
import { recordedKey } from '../../src/store/fragment-key.ts'
import { ManualClock } from '../support/manual-clock.ts'

const never = new AbortController().signal
const keyOf = (at: number) => recordedKey('lobby', 'video', BigInt(at), 'fetched')

/** A Redis whose answers to writes are the test's to give. */
class LateRedis implements FragmentCommands {
  ready = true
  readonly writes: PromiseWithResolvers<void>[] = []
  getRange(): Promise<Buffer> {
    return Promise.reject(new RedisError('late', 'late'))
  }
  delete(): Promise<void> {
    return Promise.resolve()
  }
  set(): Promise<void> {
    const write = Promise.withResolvers<void>()
    this.writes.push(write)
    return write.promise
  }
}

test('a write that is late is waited for once, until one is in time again; what cannot be read is not there', async () => {
  const redis = new LateRedis()
  const clock = new ManualClock()
  const tier = new RedisTier({ redis, prefix: 'p', clock, log: silentLog, maxStreamBytes: 1e6 })
  let puts = 0
  const put = (): void => {
    const at = puts
    void tier.put(keyOf(at), Buffer.from('x'), 'none').then(() => done.push(at))
    puts += 1
  }
  const done: number[] = []
  const late = new RedisError('late', 'late')
  put()
  await nextTurn()
  expect(done).toEqual([])
  redis.writes[0]?.reject(late)
  await nextTurn()
  put()
  put()
  await nextTurn()
  expect(done).toEqual([0, 1, 2])

  redis.writes[1]?.resolve()
  await nextTurn()
  put()
  await nextTurn()
  expect(done).toEqual([0, 1, 2])
  redis.writes[3]?.resolve()
  await nextTurn()
  expect(done).toEqual([0, 1, 2, 3])

  expect(await tier.get(keyOf(0), never)).toBeUndefined()
  redis.ready = false
  put()
  await nextTurn()
  expect([done, redis.writes.length]).toEqual([[0, 1, 2, 3, 4], 4])
})
