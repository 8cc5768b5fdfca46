import { afterEach, beforeEach, expect, test } from 'vitest'
import { GatewayError } from '../../src/base/errors.ts'
import { DynamicStreams } from '../../src/streams/dynamic-streams.ts'
import type { LiveStream } from '../../src/streams/live-stream.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { ScriptedCamera } from '../support/scripted-camera.ts'
import { openScripted, pass } from '../support/scripted-stream.ts'

/** Streams that exist by pattern, `cam-…`, four at a time. Everything is real but the sessions upstream. */
let clock: ManualClock
let camera: ScriptedCamera
let streams: DynamicStreams
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
  const entry = { max: 4, absentForMs: 30_000, keepIdleMs: 300_000, open }
  streams = new DynamicStreams(clock, [{ ...entry, matches: (name) => name.startsWith('cam-') }])
})
afterEach(() => streams.close())

const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'none',
    (error: unknown) => (error instanceof GatewayError ? error.code : String(error)),
  )

/** Plays it for a moment, as a viewer does. */
async function watch(name: string): Promise<LiveStream> {
  const stream = await streams.make(name)
  stream.start()
  stream.touch()
  await pass(clock, 8_000)
  return stream
}

const names = (): readonly string[] => [...streams.all()].map(({ name }) => name)

test('G17: a name that matches nothing opens nothing, and leaves nothing behind', async () => {
  expect(streams.mayExist('hall')).toBe(false)
  expect(await codeOf(streams.make('hall'))).toBe('stream_not_found')
  expect(await codeOf(streams.make('cam-../x'))).toBe('stream_not_found')
  expect(opened).toEqual([])
  expect(names()).toEqual([])
})

test('all who ask at once get the same stream', async () => {
  const [a, b] = await Promise.all([streams.make('cam-1'), streams.make('cam-1')])
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
  expect(await streams.make('cam-1')).not.toBe(first)
})

test('the one that has been idle for longest makes room for another; those in use stay', async () => {
  for (const name of ['cam-1', 'cam-2', 'cam-3', 'cam-4']) await streams.make(name)
  await watch('cam-1')
  await pass(clock, 4_000)
  expect(await codeOf(streams.make('cam-5'))).toBe('none')
  await pass(clock, 1)
  expect(names()).toEqual(['cam-1', 'cam-3', 'cam-4', 'cam-5'])
  expect(discarded).toEqual(['cam-2'])
})

test('there is no room while all were just made, and it says when to come again', async () => {
  for (const name of ['cam-1', 'cam-2', 'cam-3', 'cam-4']) await streams.make(name)
  await expect(streams.make('cam-5')).rejects.toMatchObject({
    code: 'overloaded',
    retryAfterMs: 5_000,
  })
})

test('a name that upstream does not know goes at once, and is not asked for again for a while', async () => {
  const unknown = new GatewayError('upstream_stream_not_found', 'no such stream')
  const asked = streams.using('cam-9', () => Promise.reject(unknown))
  expect(await codeOf(asked)).toBe('upstream_stream_not_found')
  await pass(clock, 1)
  expect(discarded).toEqual(['cam-9'])
  expect(streams.isAbsent('cam-9')).toBe(true)
  expect(await codeOf(streams.make('cam-9'))).toBe('upstream_stream_not_found')
  expect(opened).toEqual(['cam-9'])
  await pass(clock, 30_000)
  expect(await codeOf(streams.make('cam-9'))).toBe('none')
})

test('a name of which nothing came keeps no room; one that was played does', async () => {
  const trouble = new GatewayError('no_media', 'nothing')
  expect(await codeOf(streams.using('cam-7', () => Promise.reject(trouble)))).toBe('no_media')
  await pass(clock, 1)
  expect(names()).toEqual([])
  await streams.using('cam-8', () => Promise.resolve())
  expect(await codeOf(streams.using('cam-8', () => Promise.reject(trouble)))).toBe('no_media')
  expect(names()).toEqual(['cam-8'])
})

test('made-up names take a hundred a second at most', async () => {
  const unknown = new GatewayError('upstream_stream_not_found', 'no such stream')
  const codes: string[] = []
  for (let i = 0; i < 120; i += 1) {
    codes.push(await codeOf(streams.using(`cam-x${i}`, () => Promise.reject(unknown))))
    await Promise.resolve()
  }
  expect(codes.filter((code) => code === 'upstream_stream_not_found').length).toBeLessThanOrEqual(
    100,
  )
  expect(codes.at(-1)).toBe('overloaded')
})

test('whoever asks while a stream is leaving waits for the next one of its name', async () => {
  const unknown = new GatewayError('upstream_stream_not_found', 'no such stream')
  const first = await streams.make('cam-1')
  const leaving = codeOf(streams.using('cam-1', () => Promise.reject(unknown)))
  await leaving
  await pass(clock, 31_000)
  const second = await streams.make('cam-1')
  expect(second).not.toBe(first)
  expect(streams.get('cam-1')).toBe(second)
})

test('closing ends those who wait, and all streams', async () => {
  const stream = await watch('cam-1')
  await streams.close()
  expect(stream.state).toBe('idle')
  expect(await codeOf(streams.make('cam-2'))).toBe('no_media')
})
