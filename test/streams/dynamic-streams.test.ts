import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { GatewayError } from '../../src/base/errors.ts'
import { type DynamicEntry, DynamicStreams } from '../../src/streams/dynamic-streams.ts'
import type { LiveStream } from '../../src/streams/live-stream.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { ScriptedCamera } from '../support/scripted-camera.ts'
import { openScripted, pass } from '../support/scripted-stream.ts'

/** Streams that exist by pattern, `cam-…`, four at a time. Everything is real but the sessions upstream. */
let clock: ManualClock
let camera: ScriptedCamera
let streams: DynamicStreams
let entry: DynamicEntry
/** Names that were opened, and those that were let go for good. */
let opened: string[]
let discarded: string[]

beforeEach(async () => {
  clock = new ManualClock()
  camera = new ScriptedCamera(clock)
  camera.on()
  await pass(clock, 30_000)
  opened = []
  discarded = []
  const open = (name: string): Promise<LiveStream> => {
    opened.push(name)
    return openScripted({ name, clock, camera, discarded: () => discarded.push(name) })
  }
  const matches = (name: string): boolean => name.startsWith('cam-')
  entry = { max: 4, absentForMs: 30_000, keepIdleMs: 300_000, matches, open }
  streams = new DynamicStreams(clock)
  streams.replace([entry])
})
afterEach(() => streams.close())

const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'none',
    (error: unknown) => (error instanceof GatewayError ? error.code : String(error)),
  )

/** Plays it for a moment, as a viewer does. */
async function watch(name: string): Promise<LiveStream> {
  const stream = await streams.make(name, 'viewer')
  stream.start()
  stream.touch()
  await pass(clock, 8_000)
  return stream
}

const names = (): readonly string[] => [...streams.all()].map(({ name }) => name)

test('G17: a name that matches nothing opens nothing, and leaves nothing behind', async () => {
  expect(streams.mayExist('hall')).toBe(false)
  expect(await codeOf(streams.make('hall', 'viewer'))).toBe('stream_not_found')
  expect(await codeOf(streams.make('cam-../x', 'viewer'))).toBe('stream_not_found')
  expect(opened).toEqual([])
  expect(names()).toEqual([])
})

test('all who ask at once get the same stream', async () => {
  const [a, b] = await Promise.all([
    streams.make('cam-1', 'viewer'),
    streams.make('cam-1', 'viewer'),
  ])
  expect(a).toBe(b)
  expect(opened).toEqual(['cam-1'])
})

test('one that nobody watches goes after a while, with all that it held, and comes back anew', async () => {
  const first = await watch('cam-1')
  expect(first.state).toBe('live')
  // Idle after a minute; then kept for five.
  await pass(clock, 60_000 + 200_000)
  expect(names()).toEqual(['cam-1'])
  await pass(clock, 200_000)
  expect(names()).toEqual([])
  expect(discarded).toEqual(['cam-1'])
  expect(await streams.make('cam-1', 'viewer')).not.toBe(first)
})

test('the one that has been idle for longest makes room for another; those in use stay', async () => {
  for (const name of ['cam-1', 'cam-2', 'cam-3', 'cam-4']) await streams.make(name, 'viewer')
  await watch('cam-1')
  await pass(clock, 4_000)
  expect(await codeOf(streams.make('cam-5', 'viewer'))).toBe('none')
  await pass(clock, 1)
  expect(names()).toEqual(['cam-1', 'cam-3', 'cam-4', 'cam-5'])
  expect(discarded).toEqual(['cam-2'])
})

test('there is no room while all were just made, and it says when to come again', async () => {
  for (const name of ['cam-1', 'cam-2', 'cam-3', 'cam-4']) await streams.make(name, 'viewer')
  await expect(streams.make('cam-5', 'viewer')).rejects.toMatchObject({
    code: 'overloaded',
    retryAfterMs: 5_000,
  })
})

test('a name that upstream does not know goes at once, and is not asked for again for a while', async () => {
  const unknown = new GatewayError('upstream_stream_not_found', 'no such stream')
  const asked = streams.using('cam-9', () => Promise.reject(unknown), 'viewer')
  expect(await codeOf(asked)).toBe('upstream_stream_not_found')
  await pass(clock, 1)
  expect(discarded).toEqual(['cam-9'])
  expect(streams.isAbsent('cam-9')).toBe(true)
  expect(await codeOf(streams.make('cam-9', 'viewer'))).toBe('upstream_stream_not_found')
  expect(opened).toEqual(['cam-9'])
  await pass(clock, 30_000)
  expect(await codeOf(streams.make('cam-9', 'viewer'))).toBe('none')
})

test('a name of which nothing came keeps no room; one that was played does', async () => {
  const trouble = new GatewayError('no_media', 'nothing')
  expect(await codeOf(streams.using('cam-7', () => Promise.reject(trouble), 'viewer'))).toBe(
    'no_media',
  )
  await pass(clock, 1)
  expect(names()).toEqual([])
  await streams.using('cam-8', () => Promise.resolve(), 'viewer')
  expect(await codeOf(streams.using('cam-8', () => Promise.reject(trouble), 'viewer'))).toBe(
    'no_media',
  )
  expect(names()).toEqual(['cam-8'])
})

test('made-up names take a hundred a second at most', async () => {
  const unknown = new GatewayError('upstream_stream_not_found', 'no such stream')
  const codes: string[] = []
  for (let i = 0; i < 120; i += 1) {
    codes.push(await codeOf(streams.using(`cam-x${i}`, () => Promise.reject(unknown), 'viewer')))
    await Promise.resolve()
  }
  expect(codes.filter((code) => code === 'upstream_stream_not_found').length).toBeLessThanOrEqual(
    100,
  )
  expect(codes.at(-1)).toBe('overloaded')
})

describe('names that somebody makes up', () => {
  const unknown = new GatewayError('upstream_stream_not_found', 'no such stream')
  let made = 0
  /** Asks for so many in a row that upstream does not know. */
  const makeUp = async (count: number, by: string): Promise<readonly string[]> => {
    const codes: string[] = []
    for (let i = 0; i < count; i += 1) {
      made += 1
      codes.push(await codeOf(streams.using(`cam-x${made}`, () => Promise.reject(unknown), by)))
      await pass(clock, 0)
    }
    return codes
  }
  const play = (name: string, by: string): Promise<string> =>
    codeOf(streams.using(name, () => Promise.resolve(), by))

  test('do not keep out those of others, nor one that comes again', async () => {
    expect((await makeUp(124, 'stranger')).at(-1)).toBe('overloaded')
    expect(await play('cam-1', 'viewer')).toBe('none')
    expect(await play('cam-2', 'stranger')).toBe('overloaded')
    expect(await play('cam-2', 'stranger')).toBe('none')
  })

  test('do not keep out what has been played before', async () => {
    expect(await play('cam-1', 'viewer')).toBe('none')
    await pass(clock, 400_000)
    expect(names()).toEqual([])
    await makeUp(124, 'one')
    await makeUp(124, 'other')
    expect(await play('cam-3', 'other')).toBe('overloaded')
    expect(await play('cam-1', 'other')).toBe('none')
  })

  test('are forgiven after a while, and a few are no offence', async () => {
    await makeUp(11, 'wall')
    await makeUp(124, 'stranger')
    expect(await play('cam-1', 'wall')).toBe('none')
    await pass(clock, 30_000)
    expect(await play('cam-2', 'stranger')).toBe('none')
  })

  test('leave places free while upstream takes its time to say so', async () => {
    await streams.close()
    streams = new DynamicStreams(clock)
    streams.replace([{ ...entry, max: 5 }])
    await makeUp(12, 'stranger')
    const never = Promise.withResolvers<never>()
    const hanging = Array.from({ length: 5 }, (_, i) =>
      codeOf(streams.using(`cam-y${i}`, () => never.promise, 'stranger')),
    )
    await pass(clock, 0)
    expect(await play('cam-1', 'viewer')).toBe('none')
    never.reject(unknown)
    expect((await Promise.all(hanging)).filter((code) => code === 'overloaded').length).toBe(1)
  })
})

test('whoever asks while a stream is leaving waits for the next one of its name', async () => {
  const unknown = new GatewayError('upstream_stream_not_found', 'no such stream')
  const first = await streams.make('cam-1', 'viewer')
  const leaving = codeOf(streams.using('cam-1', () => Promise.reject(unknown), 'viewer'))
  await leaving
  await pass(clock, 31_000)
  const second = await streams.make('cam-1', 'viewer')
  expect(second).not.toBe(first)
  expect(streams.get('cam-1')).toBe(second)
})

test('closing ends those who wait, and all streams', async () => {
  const stream = await watch('cam-1')
  await streams.close()
  expect(stream.state).toBe('idle')
  expect(await codeOf(streams.make('cam-2', 'viewer'))).toBe('no_media')
})
