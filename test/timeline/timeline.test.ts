import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { DiscontinuityCause, FragmentFacts, Segment } from '../../src/timeline/fragment.ts'
import { dedupe } from '../../src/timeline/identity.ts'
import type { LiveList } from '../../src/timeline/segment-list.ts'
import { Timeline, type TimelineOptions } from '../../src/timeline/timeline.ts'
import {
  AUDIO,
  accept,
  type Base,
  Camera,
  fragmentNumber,
  START_MS,
  VIDEO,
} from '../support/camera.ts'

/** Five of two seconds are also what three target durations of 3 s need. */
const OPTIONS: TimelineOptions = { window: 5, targetDurationFloorS: () => 2 }

function shown(timeline: Timeline): LiveList {
  const snapshot = timeline.snapshot()
  if (snapshot === undefined) throw new Error('nothing was committed')
  return snapshot
}

function causes(timeline: Timeline): (DiscontinuityCause | undefined)[] {
  return shown(timeline).tail.map(({ discontinuity }) => discontinuity)
}

function numbers(timeline: Timeline): bigint[] {
  return shown(timeline).tail.map(({ number }) => number)
}

describe('what belongs where', () => {
  test('a fragment that was placed is known, in any session', () => {
    const timeline = Timeline.begin(OPTIONS)
    const fragment = new Camera().next()
    accept(timeline, fragment)
    expect(timeline.place(fragment)).toEqual({ kind: 'known' })
    expect(timeline.place({ ...fragment, timeBase: 9 })).toEqual({ kind: 'known' })
  })

  test('a fragment older than the newest that was never seen is late', () => {
    const timeline = Timeline.begin(OPTIONS)
    const camera = new Camera()
    const [first, second, third] = [camera.next(), camera.next(), camera.next()]
    accept(timeline, first)
    accept(timeline, third)
    expect(timeline.place(second)).toEqual({ kind: 'late' })
    expect(numbers(timeline)).toEqual([first.number, third.number])
  })

  test('G4: another upload of published media is dropped, whatever its number', () => {
    const timeline = Timeline.begin(OPTIONS)
    const fragment = new Camera().next()
    accept(timeline, fragment)
    for (const delta of [1n, -1n]) {
      const twin = {
        ...fragment,
        number: fragment.number + delta,
        startMs: START_MS + Number(delta),
      }
      expect(timeline.place(twin)).toEqual({ kind: 'duplicate', of: fragment.number })
    }
  })

  test('G4: of uploads that nobody has seen yet, the greatest number stays', () => {
    const [a, b, c] = [
      { number: fragmentNumber(3, START_MS), startMs: 1000 },
      { number: fragmentNumber(7, START_MS), startMs: 1001 },
      { number: fragmentNumber(5, START_MS), startMs: 3000 },
    ]
    expect(dedupe([a, b, c])).toEqual([c, b])
    expect(
      dedupe([
        { number: 2n, startMs: undefined },
        { number: 1n, startMs: undefined },
      ]),
    ).toEqual([
      { number: 1n, startMs: undefined },
      { number: 2n, startMs: undefined },
    ])
  })

  test('numbers that start again behind the newest media mean a stream made anew', () => {
    const timeline = Timeline.begin(OPTIONS)
    const camera = new Camera()
    accept(timeline, camera.next())
    camera.lose(60_000)
    const renumbered = { ...camera.next(), number: fragmentNumber(0, START_MS - 1000) }
    expect(accept(timeline, renumbered)?.discontinuity).toBe('renumbered')
    expect(accept(timeline, { ...camera.next(), number: renumbered.number + 1n })).toMatchObject({
      discontinuity: undefined,
    })
  })

  test('numbers of a session’s own go by date once the session changes', () => {
    const timeline = Timeline.begin(OPTIONS)
    const camera = new Camera()
    const local = (number: bigint): FragmentFacts => ({ ...camera.next(), number })
    const [first, second] = [local(0n), local(1n)]
    accept(timeline, first)
    accept(timeline, second)
    camera.openSession('session')
    expect(timeline.place({ ...second, number: 0n, timeBase: camera.session })).toEqual({
      kind: 'known',
    })
    expect(accept(timeline, local(1n))?.discontinuity).toBeUndefined()
    expect(numbers(timeline)).toEqual([0n, 1n, 1n])
  })
})

describe('G4: discontinuities', () => {
  function after(change: (camera: Camera) => void): (DiscontinuityCause | undefined)[] {
    const timeline = Timeline.begin(OPTIONS)
    const camera = new Camera()
    accept(timeline, camera.next())
    change(camera)
    accept(timeline, camera.next())
    accept(timeline, camera.next())
    return causes(timeline)
  }

  test.each<[string, DiscontinuityCause | undefined, (camera: Camera) => void]>([
    ['50 ms follow on', undefined, (camera) => camera.lose(50)],
    ['51 ms are a gap', 'gap', (camera) => camera.lose(51)],
    [
      '50 ms too early follow on',
      undefined,
      (camera) => {
        camera.dateMs -= 50
      },
    ],
    [
      '51 ms too early overlap',
      'overlap',
      (camera) => {
        camera.dateMs -= 51
      },
    ],
    [
      'new codec private data',
      'init',
      (camera) => {
        camera.video = { ...VIDEO, id: 'v2' }
      },
    ],
    [
      'another profile',
      'init',
      (camera) => {
        camera.video = { ...VIDEO, id: 'v2', codec: 'avc1.640028' }
      },
    ],
    [
      'another codec',
      'tracks',
      (camera) => {
        camera.video = { ...VIDEO, id: 'v2', codec: 'hvc1.1.6.L93.B0' }
      },
    ],
    [
      'audio goes',
      'tracks',
      (camera) => {
        camera.audio = undefined
      },
    ],
  ])('%s', (_, cause, change) => {
    expect(after(change)).toEqual([undefined, cause, undefined])
  })

  test('each counts once in the sequence, before and after it leaves the list', () => {
    const timeline = Timeline.begin(OPTIONS)
    const camera = new Camera()
    const dsns: number[] = []
    const first = accept(timeline, camera.next())
    for (let i = 0; i < 11; i++) {
      if (i === 0) camera.lose(1000)
      accept(timeline, camera.next())
      dsns.push(shown(timeline).discontinuitySequence - (first?.dsn ?? 0))
    }
    // Its tag is in the list of eight until it is the ninth.
    expect(dsns).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1])
  })
})

describe('several sources', () => {
  const SLATE_MS = 2000
  /** What the gateway makes while the camera is away. */
  function slate(timeline: Timeline, like: FragmentFacts, n: number): void {
    const startMs = like.receivedMs + n * SLATE_MS
    accept(timeline, { ...like, source: 'slate', number: BigInt(n), timeBase: -1, startMs })
  }

  test('G11: a slate is set off on both sides, and the camera goes on behind it', () => {
    const timeline = Timeline.begin(OPTIONS)
    const camera = new Camera()
    const before = camera.next()
    accept(timeline, before)
    slate(timeline, before, 0)
    slate(timeline, before, 1)
    // It began while the slate was still shown: what a returning camera always does.
    camera.lose(2000)
    const after = camera.next()
    accept(timeline, after)
    accept(timeline, camera.next())
    expect(causes(timeline)).toEqual([undefined, 'source', undefined, 'source', undefined])
    expect(timeline.place(before)).toEqual({ kind: 'known' })
  })

  test('a backup has numbers and dates of its own', () => {
    const timeline = Timeline.begin(OPTIONS)
    const camera = new Camera()
    const [first, second, third] = [camera.next(), camera.next(), camera.next()]
    accept(timeline, second)
    const backup = { ...first, source: 'backup' } as const
    accept(timeline, backup)
    expect(timeline.place(backup)).toEqual({ kind: 'known' })
    expect(timeline.place(first)).toEqual({ kind: 'late' })
    accept(timeline, third)
    expect(causes(timeline)).toEqual([undefined, 'source', 'source'])
  })

  test('tell each what of it is the newest', () => {
    const timeline = Timeline.begin(OPTIONS)
    const camera = new Camera()
    const [first, second] = [camera.next(), camera.next()]
    accept(timeline, first)
    expect(timeline.newest('backup')).toBeUndefined()
    accept(timeline, { ...second, source: 'backup' })
    expect(timeline.newest('camera')).toEqual({ number: first.number, endMs: first.startMs })
    expect(timeline.newest('backup')?.number).toBe(second.number)
  })

  test('a camera that was made anew meanwhile comes back', () => {
    const timeline = Timeline.begin(OPTIONS)
    const camera = new Camera()
    const [first, second] = [camera.next(), camera.next()]
    accept(timeline, first)
    slate(timeline, first, 0)
    accept(timeline, { ...second, number: first.number - 1n })
    expect(causes(timeline)).toEqual([undefined, 'source', 'source'])
  })

  test('are still told apart after a restart', () => {
    const timeline = Timeline.begin(OPTIONS)
    const camera = new Camera()
    const [first, second] = [camera.next(), camera.next()]
    accept(timeline, first)
    accept(timeline, { ...first, source: 'backup' })
    const restored = Timeline.restore(JSON.parse(JSON.stringify(timeline.save())), OPTIONS)
    expect(restored.place(first)).toEqual({ kind: 'known' })
    accept(restored, second)
    expect(causes(restored)).toEqual([undefined, 'source', 'source'])
  })

  test('however long one of them is away, its numbers are remembered', () => {
    const timeline = Timeline.begin(OPTIONS)
    const camera = new Camera()
    const first = camera.next()
    accept(timeline, first)
    const other = new Camera()
    for (let i = 0; i < 600; i++) accept(timeline, { ...other.next(), source: 'backup' })
    expect(timeline.place(first)).toEqual({ kind: 'known' })
  })
})

test('G7: a rendition that disappears stays in step and is dropped once it has left the list', () => {
  const timeline = Timeline.begin(OPTIONS)
  const camera = new Camera()
  for (let i = 0; i < 5; i++) accept(timeline, camera.next())
  camera.audio = undefined
  const placement = timeline.place(camera.next())
  expect(placement).toMatchObject({ kind: 'append', segment: { gaps: ['audio'] } })
  for (let i = 0; i < 8; i++) {
    expect(shown(timeline).renditions).toEqual(['video', 'audio'])
    accept(timeline, camera.next())
  }
  expect(shown(timeline).renditions).toEqual(['video'])
})

describe('G5: the target duration', () => {
  const targetOf = (
    lengthsMs: readonly number[],
    options: Partial<TimelineOptions> = {},
  ): number => {
    const timeline = Timeline.begin({ window: 4, targetDurationFloorS: () => 1, ...options })
    for (const [i, fragmentMs] of lengthsMs.entries()) {
      const camera = new Camera({ fragmentMs, audio: false })
      camera.counter = i
      camera.lose(20_000 * i)
      accept(timeline, camera.next())
    }
    return shown(timeline).targetDuration
  }

  test('is the longest fragment, or the floor; with headroom where the first ones do not tell', () => {
    const each = [1000, 2000, 4000, 10_000]
    expect(each.map((ms) => targetOf([ms, ms]))).toEqual([1, 2, 4, 10])
    expect(each.map((ms) => targetOf([ms]))).toEqual([2, 3, 5, 13])
    expect(targetOf([4000, 2000])).toBe(5)
    expect(targetOf([1000], { targetDurationFloorS: () => 6 })).toBe(6)
  })

  test('is as foretold, however the first ones differ, unless they are longer', () => {
    const foretold = { isForetold: () => true, targetDurationFloorS: () => 4 }
    expect(targetOf([1200], foretold)).toBe(4)
    expect(targetOf([4000, 2000], foretold)).toBe(4)
    expect(targetOf([6000, 2000], foretold)).toBe(6)
  })

  test('holds from the first publication on; what is longer is named', () => {
    const timeline = Timeline.begin(OPTIONS)
    accept(timeline, new Camera({ fragmentMs: 4000 }).next())
    timeline.fixTargetDuration()
    expect(shown(timeline).targetDuration).toBe(5)
    const long = new Camera({ fragmentMs: 9000 })
    long.counter = 5
    long.lose(4000)
    const segment = accept(timeline, long.next())
    expect(segment?.durationMs).toBeGreaterThan(8900)
    expect(segment !== undefined && timeline.isOverlong(segment)).toBe(true)
    expect(shown(timeline).targetDuration).toBe(5)
  })

  test('is not fixed by a look at the list', () => {
    const timeline = Timeline.begin(OPTIONS)
    const first = accept(timeline, new Camera({ fragmentMs: 1000 }).next())
    expect(shown(timeline).tail).toEqual([first])
    expect(shown(timeline).targetDuration).toBe(2)
    const long = new Camera({ fragmentMs: 4000 })
    long.counter = 5
    long.lose(4000)
    accept(timeline, long.next())
    expect(shown(timeline).targetDuration).toBe(5)
  })

  test('is saved once it is fixed, and not before', () => {
    const timeline = Timeline.begin(OPTIONS)
    timeline.fixTargetDuration()
    accept(timeline, new Camera().next())
    expect(timeline.save().targetDuration).toBeNull()
    timeline.fixTargetDuration()
    const saved = timeline.save()
    expect(saved.targetDuration).toBe(3)
  })
})

describe('the window', () => {
  test('holds all that came at once after an outage, until players have reloaded', () => {
    const timeline = Timeline.begin(OPTIONS)
    const camera = new Camera()
    for (let i = 0; i < 5; i += 1) accept(timeline, camera.next())
    const backlog = Array.from({ length: 9 }, () => camera.next())
    const receivedMs = backlog[8]?.receivedMs ?? 0
    for (const fragment of backlog) accept(timeline, { ...fragment, receivedMs })
    expect(numbers(timeline)).toEqual(backlog.map(({ number }) => number))

    accept(timeline, camera.next())
    expect(numbers(timeline)).toHaveLength(8)
  })

  test('holds it for two seconds where fragments are of one, as players may be a moment late', () => {
    const timeline = Timeline.begin({ window: 5, targetDurationFloorS: () => 1 })
    const camera = new Camera({ fragmentMs: 1_000 })
    for (let i = 0; i < 3; i += 1) accept(timeline, camera.next())
    timeline.fixTargetDuration()
    const backlog = Array.from({ length: 30 }, () => camera.next())
    const [first] = backlog
    const receivedMs = backlog[29]?.receivedMs ?? 0
    for (const fragment of backlog) accept(timeline, { ...fragment, receivedMs })
    accept(timeline, camera.next())
    expect(numbers(timeline)[0]).toBe(first?.number)

    accept(timeline, camera.next())
    expect(numbers(timeline)).toHaveLength(16)
  })

  test('lists as many as asked, or three target durations, or 15 s', () => {
    const list = (window: number, floorS: number): number => {
      const timeline = Timeline.begin({ window, targetDurationFloorS: () => floorS })
      const camera = new Camera({ audio: false })
      for (let i = 0; i < 30; i++) accept(timeline, camera.next())
      return shown(timeline).tail.length
    }
    expect(list(10, 2)).toBe(10)
    expect(list(2, 2)).toBe(8) // 15 s of 2 s each
    expect(list(2, 10)).toBe(15) // 3 × 10 s
  })

  test('has an end even if segments are so short that three target durations need more', () => {
    const timeline = Timeline.begin({ window: 1, targetDurationFloorS: () => 20 })
    const camera = new Camera({ audio: false, fragmentMs: 10 })
    for (let i = 0; i < 5050; i++) accept(timeline, camera.next())
    expect(shown(timeline).tail).toHaveLength(5000)
  })

  test('G6: a segment stays known for its duration and the longest list after it left', () => {
    const timeline = Timeline.begin(OPTIONS)
    const camera = new Camera({ audio: false })
    for (let i = 0; i < 40; i++) accept(timeline, camera.next())
    const retired = timeline.retired()
    const oldest = retired[0]
    const [first] = shown(timeline).tail
    expect(retired.at(-1)?.msn).toBe((first?.msn ?? 0) - 1)
    expect(retired.length).toBeGreaterThanOrEqual(8)
    expect(retired.length).toBeLessThan(13)
    expect(oldest?.msn).toBe((first?.msn ?? 0) - retired.length)
  })

  test('after idling the list starts again behind what was listed', () => {
    const timeline = Timeline.begin(OPTIONS)
    const camera = new Camera()
    for (let i = 0; i < 9; i++) accept(timeline, camera.next())
    const before = shown(timeline)
    timeline.resume(START_MS + 100_000)
    const empty = shown(timeline)
    expect(empty.tail).toEqual([])
    expect(empty.mediaSequence).toBe(before.mediaSequence + 8)
    expect(empty.renditions).toEqual(['video', 'audio'])
    camera.lose(90_000)
    accept(timeline, camera.next())
    const [first] = shown(timeline).tail
    expect(first).toMatchObject({ msn: empty.mediaSequence, discontinuity: 'gap' })
    expect(timeline.retired()).toHaveLength(8)
  })

  test('segments whose bytes are lost leave the list, those behind them stay', () => {
    const timeline = Timeline.begin(OPTIONS)
    const camera = new Camera()
    for (let i = 0; i < 5; i++) accept(timeline, camera.next())
    const [, second, third] = shown(timeline).tail
    timeline.unlist(second?.msn ?? 0, START_MS)
    expect(shown(timeline).tail[0]).toBe(third)
  })
})

describe('snapshots', () => {
  test('stay as they were, and are new only when something changed', () => {
    const timeline = Timeline.begin(OPTIONS)
    const camera = new Camera()
    expect(timeline.snapshot()).toBeUndefined()
    accept(timeline, camera.next())
    const first = shown(timeline)
    timeline.place(camera.next())
    expect(timeline.snapshot()).toBe(first)
    accept(timeline, camera.next())
    expect(timeline.snapshot()).not.toBe(first)
    expect(shown(timeline).version).toBeGreaterThan(first.version)
    expect(first.tail).toHaveLength(1)
  })
})

describe('drafts', () => {
  test('are committed in the order of their numbers', () => {
    const timeline = Timeline.begin(OPTIONS)
    const camera = new Camera({ audio: false })
    accept(timeline, camera.next())
    const [a, b] = [timeline.place(camera.next()), timeline.place(camera.next())]
    if (a.kind !== 'append' || b.kind !== 'append') throw new Error('not taken')
    const published = { video: { id: 'x', bytes: 1 } }
    timeline.commit(a.segment, published)
    expect(() => timeline.commit(b.segment, published)).toThrow(/was placed before/)
  })

  test('are not listed before each of their tracks is stored', () => {
    const timeline = Timeline.begin(OPTIONS)
    const placement = timeline.place(new Camera().next())
    if (placement.kind !== 'append') throw new Error('not taken')
    expect(() => timeline.commit(placement.segment, { video: { id: 'x', bytes: 1 } })).toThrow(
      /the audio of this segment was not stored/,
    )
    expect(timeline.snapshot()).toBeUndefined()
  })

  test('need a track', () => {
    const empty = { ...new Camera().next(), tracks: {} }
    expect(() => Timeline.begin(OPTIONS).place(empty)).toThrow(RangeError)
  })
})

test('a window that is none is refused', () => {
  expect(() => Timeline.begin({ ...OPTIONS, window: 0 })).toThrow(/window must be/)
})

type Step =
  | { kind: 'next'; jitterMs: number }
  | {
      kind: 'poll again' | 'duplicate' | 'late' | 'resume' | 'restart' | 'toggle audio' | 'new init'
    }
  | { kind: 'lose'; ms: number }
  | { kind: 'session'; base: Base }

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('next' as const),
      jitterMs: fc.integer({ min: -40, max: 40 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constantFrom(
        'poll again',
        'duplicate',
        'late',
        'resume',
        'restart',
        'toggle audio',
        'new init',
      ),
    }),
  },
  fc.record({ kind: fc.constant('lose' as const), ms: fc.integer({ min: -500, max: 20_000 }) }),
  fc.record({
    kind: fc.constant('session' as const),
    base: fc.constantFrom('epoch', 'session', 'fragment'),
  }),
)

/** A stream that lives through anything, watched by one who remembers everything. */
class Stream {
  #timeline = Timeline.begin(OPTIONS)
  readonly #camera = new Camera()
  #held: FragmentFacts | undefined
  #last: FragmentFacts | undefined
  #inits = 1
  readonly #seen = new Map<number, string>()
  #shown: LiveList | undefined

  run(step: Step): void {
    this.#act(step)
    this.#watch()
  }

  #act(step: Step): void {
    const camera = this.#camera
    switch (step.kind) {
      case 'next':
        this.#held = this.#last
        this.#last = camera.next(step)
        this.#offer(this.#last)
        return
      case 'poll again':
        this.#offer(this.#last)
        return
      case 'duplicate':
        this.#offer(this.#last && { ...this.#last, number: this.#last.number + 1n })
        return
      case 'late':
        this.#offer(this.#held && { ...this.#held, number: this.#held.number - 1n })
        return
      case 'resume':
        this.#timeline.resume(camera.dateMs)
        return
      case 'restart':
        this.#timeline = Timeline.restore(
          JSON.parse(JSON.stringify(this.#timeline.save())),
          OPTIONS,
        )
        return
      case 'toggle audio':
        camera.audio = camera.audio === undefined ? AUDIO : undefined
        return
      case 'new init':
        this.#inits += 1
        camera.video = { ...VIDEO, id: `v${this.#inits}` }
        return
      case 'lose':
        camera.lose(step.ms)
        return
      case 'session':
        camera.openSession(step.base)
        return
    }
  }

  #offer(fragment: FragmentFacts | undefined): void {
    if (fragment !== undefined) accept(this.#timeline, fragment)
  }

  #watch(): void {
    this.#timeline.fixTargetDuration()
    const snapshot = this.#timeline.snapshot()
    if (snapshot === undefined) return
    this.#neverGoesBack(snapshot)
    this.#staysTheSame(snapshot)
    countsRight(snapshot)
    this.#shown = snapshot
  }

  #neverGoesBack(now: LiveList): void {
    const before = this.#shown
    if (before === undefined) return
    expect(now.version).toBeGreaterThanOrEqual(before.version)
    expect(now.mediaSequence).toBeGreaterThanOrEqual(before.mediaSequence)
    expect(now.discontinuitySequence).toBeGreaterThanOrEqual(before.discontinuitySequence)
    expect(now.targetDuration).toBe(before.targetDuration)
    expect(end(now)).toBeGreaterThanOrEqual(end(before))
  }

  /** All that an MSN ever stood for, in each list and after it. */
  #staysTheSame(snapshot: LiveList): void {
    for (const segment of [...this.#timeline.retired(), ...snapshot.tail]) {
      const content = describeSegment(segment)
      expect(this.#seen.get(segment.msn) ?? content).toBe(content)
      this.#seen.set(segment.msn, content)
    }
  }
}

function end({ mediaSequence, tail }: LiveList): number {
  return mediaSequence + tail.length
}

function describeSegment(segment: Segment): string {
  return JSON.stringify(segment, (_, value: unknown) =>
    typeof value === 'bigint' ? String(value) : value,
  )
}

function countsRight({ tail, mediaSequence, discontinuitySequence, renditions }: LiveList): void {
  let dsn = discontinuitySequence
  for (const [i, { msn, dsn: own, discontinuity, tracks }] of tail.entries()) {
    expect(msn).toBe(mediaSequence + i)
    if (discontinuity !== undefined) dsn += 1
    expect(own).toBe(dsn)
    for (const name of Object.keys(tracks)) expect(renditions).toContain(name)
  }
}

test('G1: through losses, duplicates, sessions, idling and restarts, numbers keep their meaning', () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 80 }), (steps) => {
      const stream = new Stream()
      for (const one of steps) stream.run(one)
    }),
    { numRuns: 300 },
  )
})
