import { expect, test } from 'vitest'
import type { CameraConfigInput } from '../../src/emulator/config.ts'
import type { FaultInput } from '../../src/emulator/service/fault.ts'
import { openSession, playlistUrl } from '../emulator/support/client.ts'
import { parseMediaPlaylist } from '../proof/media-playlist.ts'
import { during } from '../support/pace.ts'
import { cameraOf } from '../support/world.ts'
import { get } from './support/listing.ts'
import { restart, type Stage, startStage } from './support/stage.ts'
import { stateDir } from './support/state-dir.ts'

const dir = stateDir()

/** By stream, what its fragments call for: of 1 s, of 2 s, of up to 4 s, and of up to 20 s. */
const CALLED_FOR = { lobby: 1, hall: 2, gate: 4, barn: 20 } as const
const CAMERAS: Readonly<Record<keyof typeof CALLED_FOR, CameraConfigInput>> = {
  lobby: { clip: 'av-180p' },
  hall: { clip: 'av-720p' },
  gate: { clip: 'av-360p-irregular' },
  barn: { clip: 'av-180p-long' },
}
const STREAMS = Object.keys(CALLED_FOR) as (keyof typeof CALLED_FOR)[]

/** What our video playlist says now; wakes the stream. */
async function ours({ clock, world }: Stage, stream: string): Promise<number> {
  const url = new URL('video.m3u8', world.watchUrl(stream))
  const { body } = await during(clock, get(url.href))
  return parseMediaPlaylist(String(body)).targetDurationS
}

/** What KVS's own playlists of the cameras say, when each lists the longest of its fragments. */
async function kvsOwn({ clock, world }: Stage): Promise<Record<string, number>> {
  const entries = await during(
    clock,
    Promise.all(
      STREAMS.map(async (stream) => {
        const StreamName = cameraOf(stream)
        const MaxMediaPlaylistFragmentResults = 10
        const input = { StreamName, MaxMediaPlaylistFragmentResults }
        const url = await openSession(world.emulator.url, input)
        const { body } = await get(playlistUrl(url))
        return [stream, Number(/TARGETDURATION:(\d+)/.exec(String(body))?.[1])] as const
      }),
    ),
  )
  return Object.fromEntries(entries)
}

const asked = ({ world }: Stage): readonly unknown[] =>
  STREAMS.map((stream) => world.counters(stream).calls['ListFragments'])

const ONCE = STREAMS.map(() => ({ 200: 1 }))

test('G5, G10: what KVS has recorded tells the target duration: one call in a stream’s life, and never above KVS’s own', async () => {
  const defaults = { idleTimeout: '45s' }
  await using stage = await startStage({ cameras: CAMERAS, defaults, cache: { dir: dir() } })
  stage.watching = false
  const all = async (): Promise<Record<string, number>> => {
    const said: Record<string, number> = {}
    for (const stream of STREAMS) said[stream] = await ours(stage, stream)
    return said
  }
  expect(await all()).toEqual(CALLED_FOR)
  expect(asked(stage)).toEqual(ONCE)
  // For a loop of the longest clip, its list holds all of its lengths at any moment.
  expect(await kvsOwn(stage)).toEqual(CALLED_FOR)

  // All send whatever they have to send, go idle, and begin again; then the process does.
  await stage.pass(50_000)
  expect(await kvsOwn(stage)).toEqual(CALLED_FOR)
  expect(await all()).toEqual(CALLED_FOR)
  await restart(stage)
  stage.watching = false
  expect(await all()).toEqual(CALLED_FOR)
  expect(asked(stage)).toEqual(ONCE)
  const overlong = stage.world.lines.filter(({ event }) => event.includes('longer than'))
  expect(overlong).toEqual([])
})

const REFUSALS: readonly [string, FaultInput][] = [
  ['is refused', { kind: 'status', status: 403, type: 'AccessDeniedException' }],
  ['is throttled', { kind: 'status', status: 400, type: 'ClientLimitExceededException' }],
  ['fails', { kind: 'status', status: 500 }],
  ['hangs', { kind: 'latency', ms: 600_000 }],
  ['answers with noise', { kind: 'garbage' }],
]

test.each(REFUSALS)(
  'G5: where the call %s, the first list tells, and nobody waits for long',
  async (_what, fault) => {
    const faults = [{ operation: 'ListFragments', ...fault } as const]
    await using stage = await startStage({
      cameras: { lobby: { clip: 'av-720p', faults }, gate: { clip: 'av-360p-irregular', faults } },
    })
    stage.watching = false
    const startMs = stage.clock.now()
    expect(await ours(stage, 'lobby')).toBe(2)
    expect(stage.clock.now() - startMs).toBeLessThanOrEqual(1_600)
    // What differs so much gets room for more.
    expect(await ours(stage, 'gate')).toBe(5)
    const { state, reason } = await during(stage.clock, stage.world.admin.stream('lobby'))
    expect({ state, reason }).toEqual({ state: 'live', reason: null })
    const told = stage.world.lines.filter(({ event }) => event.includes('how long fragments are'))
    expect(told).toHaveLength(2)
  },
)

test('G5: a camera that has just sent its first fragment gets room for longer ones', async () => {
  const anchorMs = Date.UTC(2026, 0, 1) - 2_500
  await using stage = await startStage({ cameras: { lobby: { clip: 'av-720p', anchorMs } } })
  stage.watching = false
  expect(await ours(stage, 'lobby')).toBe(3)
})
