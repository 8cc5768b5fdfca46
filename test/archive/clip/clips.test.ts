import { buffer } from 'node:stream/consumers'
import { setImmediate as nextTurn } from 'node:timers/promises'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Clips } from '../../../src/archive/clip/clips.ts'
import type { RecordedClip } from '../../../src/archive/clip/recorded-clip.ts'
import type { RecordedFragment, TimeRange } from '../../../src/archive/recording.ts'
import { GatewayError } from '../../../src/base/errors.ts'
import { literalFragment, literalInit } from '../../support/literal-fragment.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { seeMovie } from '../../support/movie-file.ts'
import { LoopRecording } from '../../support/recording.ts'

const never = new AbortController().signal
const AT_MS = Date.UTC(2026, 0, 1)
const HOUR_MS = 3_600_000

function range(seconds: number, fromS = 0): TimeRange {
  return { startMs: AT_MS + fromS * 1000, endMs: AT_MS + (fromS + seconds) * 1000 }
}

function setUp(recording = new LoopRecording()): {
  readonly recording: LoopRecording
  readonly clock: ManualClock
  readonly clips: Clips
} {
  const clock = new ManualClock(AT_MS + 24 * HOUR_MS)
  const list = (_stream: string, wanted: TimeRange): Promise<readonly RecordedFragment[]> =>
    Promise.resolve(recording.list(wanted))
  return { recording, clock, clips: new Clips({ clock, maxMs: () => HOUR_MS, list }) }
}

function bytesOf(clip: RecordedClip, start = 0, end = clip.size): Promise<Buffer> {
  return buffer(clip.read(start, end, never))
}

const codeOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'no error',
    (error: unknown) => (error instanceof GatewayError ? error.code : error),
  )

test('the bytes are as many as promised, and an MP4 of all fragments', async () => {
  const { clips } = setUp()
  const { clip } = await clips.open('lobby', range(10), never)
  const file = await bytesOf(clip)
  expect(file).toHaveLength(clip.size)
  const [video, audio] = seeMovie(file)
  expect(video?.samples).toHaveLength(150)
  expect(video?.durationS).toBeCloseTo(10, 3)
  expect(audio?.durationS).toBeCloseTo(10, 1)
})

test('any range is that part of the whole', async () => {
  const { clips } = setUp()
  const { clip } = await clips.open('lobby', range(6), never)
  const whole = await bytesOf(clip)
  const place = fc.integer({ min: 0, max: clip.size })
  await fc.assert(
    fc.asyncProperty(place, place, async (a, b) => {
      const [start, end] = [Math.min(a, b), Math.max(a, b)]
      expect((await bytesOf(clip, start, end)).equals(whole.subarray(start, end))).toBe(true)
    }),
  )
})

test('a range fetches only the fragments that it lies in', async () => {
  const { clips, recording } = setUp()
  const { clip } = await clips.open('lobby', range(60), never)
  recording.fetched.length = 0
  await bytesOf(clip, clip.size - 1)
  expect(recording.fetched).toEqual([BigInt(AT_MS / 1000 + 59)])
})

test('the fragment in which the range starts is part of it, the one in which it ends too', async () => {
  const { clips, recording } = setUp()
  await clips.open('lobby', range(2, 10.5), never)
  expect(recording.fetched).toEqual([10, 11, 12].map((second) => BigInt(AT_MS / 1000 + second)))
  recording.fetched.length = 0
  await clips.open('lobby', range(2, 10), never)
  expect(recording.fetched).toEqual([10, 11].map((second) => BigInt(AT_MS / 1000 + second)))
})

describe('shared work', () => {
  test('all who ask for the same range wait for one reading of it', async () => {
    const { clips, recording } = setUp()
    const opened = await Promise.all(
      Array.from({ length: 20 }, () => clips.open('lobby', range(30), never)),
    )
    expect(new Set(opened.map(({ clip }) => clip)).size).toBe(1)
    expect(opened.map(({ origin }) => origin)).toEqual([
      'miss',
      ...Array.from({ length: 19 }, () => 'collapsed'),
    ])
    expect(recording.fetched).toHaveLength(30)
    expect((await clips.open('lobby', range(30), never)).origin).toBe('hit')
    expect(recording.fetched).toHaveLength(30)
  })

  test('one who leaves does not disturb the others; the last one ends it', async () => {
    const { clips, recording } = setUp()
    const gate = Promise.withResolvers<undefined>()
    let signal: AbortSignal | undefined
    recording.before = (_number, given) => {
      signal = given
      return gate.promise
    }
    const [first, second] = [new AbortController(), new AbortController()]
    const opened = [first, second].map((leaving) => clips.open('lobby', range(3), leaving.signal))
    first.abort(new Error('left'))
    await expect(opened[0]).rejects.toThrow('left')
    expect(signal?.aborted).toBe(false)
    second.abort(new Error('left'))
    await expect(opened[1]).rejects.toThrow('left')
    expect(signal?.aborted).toBe(true)
    gate.resolve(undefined)
  })

  test('a fifth clip at a time waits for its turn, and is refused when that does not come', async () => {
    const { clips, recording, clock } = setUp()
    const gate = Promise.withResolvers<undefined>()
    recording.before = () => gate.promise
    const opened = [1, 2, 3, 4].map((from) => clips.open('lobby', range(3, from), never))
    const refused = codeOf(clips.open('lobby', range(3, 5), never))
    // One place is for those who have none.
    const other = clips.open('lobby', range(3, 6), never, 'another client')
    clock.advance(20_000)
    expect(await refused).toBe('overloaded')
    const waiting = clips.open('lobby', range(3, 5), never)
    gate.resolve(undefined)
    expect(await Promise.all([...opened, other])).toHaveLength(5)
    expect((await waiting).clip.size).toBeGreaterThan(0)
  })

  test('what nobody asks for is forgotten', async () => {
    const { clips, clock, recording } = setUp()
    await clips.open('lobby', range(3), never)
    clock.advance(119_000)
    await clips.open('lobby', range(3), never)
    expect(recording.fetched).toHaveLength(3)
    clock.advance(121_000)
    await clips.open('lobby', range(3), never)
    expect(recording.fetched).toHaveLength(6)
  })

  test('what may still grow is looked at again', async () => {
    const { clips, clock, recording } = setUp()
    const justNow = { startMs: clock.now() - 13_000, endMs: clock.now() - 3_000 }
    const { clip } = await clips.open('lobby', justNow, never)
    expect(clip.isSettled).toBe(false)
    clock.advance(11_000)
    await clips.open('lobby', justNow, never)
    expect(recording.fetched).toHaveLength(20)
  })
})

describe('G18: few fragments in memory', () => {
  test('at most four while the tables are read', async () => {
    const { clips, recording } = setUp()
    let [now, most] = [0, 0]
    recording.before = async () => {
      now += 1
      most = Math.max(most, now)
      await nextTurn()
      now -= 1
      return undefined
    }
    await clips.open('lobby', range(60), never)
    expect(most).toBe(4)
  })

  test('small ones are fetched a little ahead of what is sent, large ones are not', async () => {
    for (const [bytes, ahead] of [
      [1_000, 3],
      [3 * 2 ** 20, 1],
    ] as const) {
      const { clips, recording } = setUp(new LoopRecording())
      const made = literalInit('avc')
      recording.before = (number) => {
        const sample = {
          durationTicks: made.init.timescale,
          compositionTicks: 0,
          bytes,
          isSync: true,
        }
        const baseTicks = Number(number) * made.init.timescale
        const fragment = literalFragment(made, baseTicks, [sample])
        return Promise.resolve([{ ...made, bytes: fragment, baseTicks }])
      }
      const { clip } = await clips.open('lobby', range(20), never)
      recording.fetched.length = 0
      const read = clip.read(0, clip.size, never)[Symbol.asyncIterator]()
      await read.next()
      expect(recording.fetched).toHaveLength(0)
      await read.next()
      expect(recording.fetched).toHaveLength(ahead)
      await read.return(undefined)
    }
  })
})

describe('trouble', () => {
  test('nothing in the range', async () => {
    const { clock } = setUp()
    const clips = new Clips({ clock, maxMs: () => HOUR_MS, list: () => Promise.resolve([]) })
    expect(await codeOf(clips.open('lobby', range(3), never))).toBe('not_found')
  })

  test('upstream’s own refusal is passed on, and not remembered', async () => {
    const { clips, recording } = setUp()
    recording.before = () => Promise.reject(new GatewayError('upstream_throttled', 'slow down'))
    expect(await codeOf(clips.open('lobby', range(3), never))).toBe('upstream_throttled')
    recording.before = () => undefined
    expect((await clips.open('lobby', range(3), never)).clip.size).toBeGreaterThan(0)
  })

  test('a fragment that never comes', async () => {
    const { clips, clock, recording } = setUp()
    recording.before = () => Promise.withResolvers<undefined>().promise
    const settled: unknown[] = []
    void codeOf(clips.open('lobby', range(3), never)).then((code) => settled.push(code))
    await clock.runUntil(() => settled.length > 0, { stepMs: 1_000, withinMs: 31_000 })
    expect(settled).toEqual(['upstream_timeout'])
  })

  test('a fragment that does not come again', async () => {
    const { clips, clock, recording } = setUp()
    const { clip } = await clips.open('lobby', range(3), never)
    recording.before = () => Promise.withResolvers<undefined>().promise
    const settled: unknown[] = []
    void codeOf(bytesOf(clip)).then((code) => settled.push(code))
    await clock.runUntil(() => settled.length > 0, { stepMs: 1_000, withinMs: 31_000 })
    expect(settled).toEqual(['upstream_timeout'])
  })

  test('fragments without a track', async () => {
    const { clips, recording } = setUp()
    recording.before = () => Promise.resolve([])
    expect(await codeOf(clips.open('lobby', range(3), never))).toBe('not_found')
  })

  test('a clock that jumps years ahead and back', async () => {
    const { clock, recording } = setUp()
    const fragments = [0, 3e8, 1].map((second) => recording.fragment(AT_MS / 1000 + second))
    const clips = new Clips({ clock, maxMs: () => HOUR_MS, list: () => Promise.resolve(fragments) })
    const [video] = seeMovie(await bytesOf((await clips.open('lobby', range(3), never)).clip))
    expect(video?.durationS).toBeCloseTo(3e8 + 2, -1)
  })

  test('damaged media', async () => {
    const { clips, recording } = setUp()
    const [track] = await recording.fragment(AT_MS / 1000).tracks(never)
    if (track === undefined) throw new Error('no track')
    const bytes = track.bytes.subarray(0, -1)
    recording.before = () => Promise.resolve([{ ...track, bytes }])
    expect(await codeOf(clips.open('lobby', range(3), never))).toBe('upstream_unavailable')
  })

  test('a codec that changes says when', async () => {
    const { clips, recording } = setUp()
    const other = new LoopRecording(['hevc', 'aac'])
    const change = BigInt(AT_MS / 1000 + 2)
    recording.before = (number, signal) =>
      number < change ? undefined : other.fragment(Number(number)).tracks(signal)
    await expect(clips.open('lobby', range(4), never)).rejects.toMatchObject({
      code: 'bad_request',
      message: expect.stringContaining('avc1 to hvc1 at 2026-01-01T00:00:02.000Z') as string,
    })
  })

  test('other bytes than those that were counted are not sent', async () => {
    const { clips, recording } = setUp()
    const { clip } = await clips.open('lobby', range(3), never)
    const [, second] = await recording.fragment(AT_MS / 1000).tracks(never)
    recording.before = () => Promise.resolve(second === undefined ? [] : [second])
    expect(await codeOf(bytesOf(clip))).toBe('upstream_unavailable')
  })
})

test('the id names the content', async () => {
  const { clip: one } = await setUp().clips.open('lobby', range(5), never)
  const { clip: same } = await setUp().clips.open('other', range(5), never)
  const { clip: later } = await setUp().clips.open('lobby', range(5, 4), never)
  expect(same.id).toBe(one.id)
  expect(later.id).not.toBe(one.id)
})
