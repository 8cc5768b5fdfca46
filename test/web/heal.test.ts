import fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import { Healer } from '../../src/web/pages/heal.js'

type Sight = Parameters<Healer['look']>[0]
type Action = NonNullable<ReturnType<Healer['look']>>

const LOOK_EVERY_MS = 500
const PLAYING: Omit<Sight, 'now'> = {
  wanted: true,
  media: true,
  fresh: true,
  moved: true,
  targetMs: 2000,
  mayRebuild: true,
}
const STUCK = { ...PLAYING, moved: false }
const STALE = { ...PLAYING, moved: false, fresh: false }

/** A healer on a page that looks twice a second. */
class Bench {
  readonly healer: Healer
  now = 1_000_000

  constructor(random: () => number = () => 1) {
    this.healer = new Healer(random)
  }

  look(sight: Omit<Sight, 'now'>): Action | undefined {
    this.now += LOOK_EVERY_MS
    return this.healer.look({ now: this.now, ...sight })
  }

  /** All that is done in so many seconds of the same sight, as `second:action`. */
  during(seconds: number, sight: Omit<Sight, 'now'>): string[] {
    const done: string[] = []
    const start = this.now
    while (this.now < start + seconds * 1000) {
      const action = this.look(sight)
      if (action !== undefined) done.push(`${(this.now - start) / 1000}:${action}`)
    }
    return done
  }
}

let bench: Bench

beforeEach(() => {
  bench = new Bench()
})

describe('coming and going', () => {
  test('a player that was replaced for a reason of its own has the time of a new one', () => {
    bench.during(30, PLAYING)
    bench.during(3, STUCK)
    bench.healer.renewed(bench.now)
    expect(bench.during(11, STUCK)).toEqual([])
    expect(bench.healer.stalls).toBe(0)
    expect(bench.during(2, STUCK)).toEqual(['1.5:edge'])
  })

  test('waits until there is media, then attaches once', () => {
    expect(bench.during(30, { ...STUCK, media: false })).toEqual([])
    expect(bench.during(60, PLAYING)).toEqual(['0.5:attach'])
  })

  test('leaves when nobody looks, and is back at once', () => {
    bench.during(10, PLAYING)
    expect(bench.during(60, { ...PLAYING, wanted: false })).toEqual(['0.5:detach'])
    expect(bench.during(60, PLAYING)).toEqual(['0.5:attach'])
  })

  test('steady playback is left alone for days', () => {
    expect(bench.during(2 * 86_400, PLAYING)).toEqual(['0.5:attach'])
    expect([bench.healer.stalls, bench.healer.heals]).toEqual([0, 0])
  })
})

describe('a stuck playhead', () => {
  test('gets no new player while the page cannot afford one, and gets it then', () => {
    bench.during(5, PLAYING)
    const done = bench.during(60, { ...STUCK, mayRebuild: false })
    expect(done.map((what) => what.split(':')[1])).toEqual(['edge'])
    expect(bench.healer.restarting).toBe(false)
    expect(bench.during(1, STUCK)).toEqual(['0.5:rebuild'])
    expect(bench.healer.restarting).toBe(true)
    bench.during(1, PLAYING)
    expect(bench.healer.restarting).toBe(false)
  })

  test('goes to the live edge first, then gets new players at growing distance', () => {
    bench.during(5, PLAYING)
    const actions = bench.during(120, STUCK)
    expect(actions.slice(0, 2)).toEqual(['4.5:edge', '11:rebuild'])
    expect(actions.slice(2).every((action) => action.endsWith('rebuild'))).toBe(true)
    expect(actions.length).toBeLessThan(9)
    expect(bench.healer.stalls).toBe(2)
  })

  test('is given two target durations when those are long', () => {
    bench.during(5, PLAYING)
    expect(bench.during(25, { ...STUCK, targetMs: 10_000 })).toEqual(['20.5:edge'])
  })

  test('a first picture may take longer', () => {
    expect(bench.during(12, STUCK)).toEqual(['0.5:attach'])
    expect(bench.during(1, STUCK)).toEqual(['1:edge'])
  })

  test('is no one’s fault while the camera is lost: the picture stays', () => {
    bench.during(5, PLAYING)
    expect(bench.during(59, STALE)).toEqual([])
  })

  test('after a sleep of the machine is not blamed for the time it slept', () => {
    bench.during(5, PLAYING)
    bench.now += 3_600_000
    expect(bench.during(4, STUCK)).toEqual([])
  })

  test('fifteen steady seconds count as healed, and the next trouble as a first one', () => {
    bench.during(5, PLAYING)
    bench.during(12, STUCK)
    expect(bench.healer.ailing).toBe(true)
    bench.during(16, PLAYING)
    expect(bench.healer).toMatchObject({ ailing: false, stalls: 2, heals: 1 })
    expect(bench.during(5, STUCK)).toEqual(['4.5:edge'])
  })
})

describe('a lost camera', () => {
  beforeEach(() => {
    bench.during(5, PLAYING)
  })

  test('is not asked about any more after a minute, and resumes with the first news', () => {
    expect(bench.during(3600, STALE)).toEqual(['60:rest'])
    expect(bench.during(10, PLAYING)).toEqual(['0.5:resume'])
  })

  test('that does not resume by itself is treated like any stuck player', () => {
    bench.during(120, STALE)
    expect(bench.during(8, STUCK)).toEqual(['0.5:resume', '5:edge'])
  })
})

describe('fatal errors', () => {
  beforeEach(() => {
    bench.during(5, PLAYING)
  })

  const treat = (trouble: Parameters<Healer['report']>[0]): string[] => {
    bench.healer.report(trouble)
    return bench.during(10, PLAYING).map((action) => action.replace(/.*:/, ''))
  }

  test('of the network: load again, twice, then a new player', () => {
    expect([treat('network'), treat('network'), treat('network')]).toEqual([
      ['reload'],
      ['reload'],
      ['rebuild'],
    ])
  })

  test('of the decoder: recover it at once, then a new player', () => {
    bench.healer.report('media')
    expect(bench.look(PLAYING)).toBe('recover')
    expect(treat('media')).toEqual(['rebuild'])
  })

  test.each(['manifest', 'other'] as const)('%s: a new player', (trouble) => {
    expect(treat(trouble)).toEqual(['rebuild'])
  })

  test('a long wait ends when the gateway is back, though not for all players at once', () => {
    const early = new Bench(() => 0.2)
    early.during(5, PLAYING)
    for (let i = 0; i < 12; i += 1) {
      early.healer.report('manifest')
      early.look(STUCK)
    }
    early.during(30, STUCK)
    early.healer.report('manifest')
    early.look(STUCK)
    expect(early.healer.pausing).toBe(true)
    early.healer.hurry(early.now)
    expect(early.during(1, STUCK)).toEqual(['0.5:rebuild'])
    expect(early.healer.pausing).toBe(false)
  })
})

describe('whatever happens', () => {
  const sight = fc.record({
    wanted: fc.boolean(),
    media: fc.boolean(),
    fresh: fc.boolean(),
    moved: fc.boolean(),
    targetMs: fc.constantFrom(1000, 2000, 10_000),
    mayRebuild: fc.boolean(),
  })
  const trouble = fc.constantFrom('network', 'manifest', 'media', 'other', undefined)
  const history = fc.array(fc.tuple(sight, trouble, fc.integer({ min: 1, max: 200 })), {
    maxLength: 12,
  })

  type Episode = typeof history extends fc.Arbitrary<(infer E)[]> ? E : never

  /** Plays a history and tells what was done. */
  function live(on: Bench, events: readonly Episode[]): Action[] {
    return events.flatMap(([seen, broken, looks]) => {
      if (broken !== undefined) on.healer.report(broken)
      return Array.from({ length: looks }, () => on.look(seen)).filter(
        (action) => action !== undefined,
      )
    })
  }

  test('a player is attached once before it is treated, and treated only while attached', () => {
    fc.assert(
      fc.property(history, (events) => {
        let attached = false
        for (const action of live(new Bench(), events)) {
          expect(attached).toBe(action !== 'attach')
          if (action === 'attach' || action === 'detach') attached = action === 'attach'
        }
      }),
    )
  })

  test('once all is well it plays within the longest pause, and is then left alone', () => {
    fc.assert(
      fc.property(history, fc.double({ min: 0, max: 0.999, noNaN: true }), (events, chance) => {
        const on = new Bench(() => chance)
        live(on, events)
        on.during(40, PLAYING)
        expect(on.during(60, PLAYING)).toEqual([])
        expect(on.healer.ailing).toBe(false)
      }),
    )
  })

  test('a player that never works is treated for ever: each 7.5 to 27 s in the long run', () => {
    fc.assert(
      fc.property(trouble, fc.double({ min: 0, max: 0.999, noNaN: true }), (broken, chance) => {
        const on = new Bench(() => chance)
        let treated = 0
        for (let i = 0; i < 1200; i += 1) {
          if (broken !== undefined) on.healer.report(broken)
          if (on.look(STUCK) !== undefined) treated += 1
        }
        expect(treated).toBeLessThan(8 + 600 / 7.5)
        expect(treated).toBeGreaterThan(600 / 27)
      }),
    )
  })
})
