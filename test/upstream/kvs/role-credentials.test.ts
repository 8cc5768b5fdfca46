import { beforeEach, expect, test } from 'vitest'
import {
  RoleCredentials,
  type TemporaryCredentials,
} from '../../../src/upstream/kvs/role-credentials.ts'
import { ManualClock } from '../../support/manual-clock.ts'

const HOUR_MS = 3_600_000

let clock: ManualClock
let assumed: number
let failing: Error | undefined
let role: RoleCredentials

function assume(lifeMs = HOUR_MS): Promise<TemporaryCredentials> {
  if (failing !== undefined) return Promise.reject(failing)
  assumed += 1
  return Promise.resolve({
    accessKeyId: `key ${assumed}`,
    secretAccessKey: 'secret',
    expiration: new Date(clock.now() + lifeMs),
  })
}

beforeEach(() => {
  clock = new ManualClock()
  assumed = 0
  failing = undefined
  role = new RoleCredentials(
    clock,
    () => clock.date(),
    () => assume(),
  )
})

const key = async (): Promise<string> => (await role.get()).accessKeyId

test('all who ask at once share one call, and keep what it gave', async () => {
  expect(await Promise.all([key(), key(), key()])).toEqual(['key 1', 'key 1', 'key 1'])
  clock.advance(54 * 60_000)
  expect(await key()).toBe('key 1')
})

test('five minutes before they expire there are new ones', async () => {
  await key()
  clock.advance(55 * 60_000)
  expect(await key()).toBe('key 2')
})

test('short lives are renewed with a fifth of them left', async () => {
  role = new RoleCredentials(
    clock,
    () => clock.date(),
    () => assume(60_000),
  )
  await key()
  clock.advance(47_000)
  expect(await key()).toBe('key 1')
  clock.advance(2_000)
  expect(await key()).toBe('key 2')
})

test('while STS is down the old ones are good until they expire', async () => {
  await key()
  failing = new Error('STS is down')
  clock.advance(56 * 60_000)
  expect(await key()).toBe('key 1')
  clock.advance(3 * 60_000)
  expect(await key()).toBe('key 1')
  clock.advance(2 * 60_000)
  await expect(key()).rejects.toThrow('STS is down')
  failing = undefined
  expect(await key()).toBe('key 2')
})

test('a failure is not kept', async () => {
  failing = new Error('no')
  await expect(key()).rejects.toThrow('no')
  failing = undefined
  expect(await key()).toBe('key 1')
})

test('refused ones are replaced; whether that helps shows their age', async () => {
  expect(role.forget()).toBe(false)
  await key()
  clock.advance(59_000)
  expect(role.forget()).toBe(false)
  expect(await key()).toBe('key 2')
  clock.advance(60_000)
  expect(role.forget()).toBe(true)
  expect(await key()).toBe('key 3')
})

test('the SDK is made to ask each time', async () => {
  expect((await role.get()).expiration?.getTime()).toBe(0)
})
