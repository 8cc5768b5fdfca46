import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { lanesOf, stateSpans } from '../../../src/web/pages/admin/session-line.js'

type Marks = Parameters<typeof lanesOf>[0]
type Mark = Marks[number]

const hour = { fromMs: 0, toMs: 3_600_000 }
const MINUTE = 60_000

function mark(minute: number, event: Mark['event'], rest: Partial<Mark> = {}): Mark {
  const at = new Date(minute * MINUTE).toISOString()
  return { at, event, session: 1, source: 'camera', cause: null, ...rest }
}

describe('sessions', () => {
  test('one that took over ends the one before, which began before the hour', () => {
    const marks = [
      mark(20, 'opened', { session: 2 }),
      mark(21, 'rolled-over', { session: 2, cause: 'schedule' }),
    ]
    expect(lanesOf(marks, hour, { source: 'camera', openedMs: 20 * MINUTE })).toEqual([
      {
        source: 'camera',
        sessions: [
          { fromMs: 0, toMs: 21 * MINUTE },
          { fromMs: 21 * MINUTE, toMs: hour.toMs },
        ],
        marks: [
          {
            atMs: 21 * MINUTE,
            kind: 'rolled-over',
            words: 'Session rolled over, before it would have expired',
          },
        ],
      },
    ])
  })

  test('one that was lost leaves a hole until the next is opened', () => {
    const marks = [
      mark(10, 'opened'),
      mark(20, 'lost', { cause: 'no_media' }),
      mark(21, 'failed', { session: null, cause: 'no_media' }),
      mark(30, 'opened', { session: 2 }),
    ]
    const [lane] = lanesOf(marks, hour, { source: 'camera', openedMs: 30 * MINUTE })
    expect(lane?.sessions).toEqual([
      { fromMs: 10 * MINUTE, toMs: 20 * MINUTE },
      { fromMs: 30 * MINUTE, toMs: hour.toMs },
    ])
    expect(lane?.marks.map(({ words }) => words)).toEqual([
      'Session opened',
      'Session lost: no_media',
      'No session could be opened: no_media',
      'Session opened',
    ])
  })

  test('one of which the hour tells nothing is there all the time', () => {
    const [lane] = lanesOf([], hour, { source: 'camera', openedMs: -5 * MINUTE })
    expect(lane?.sessions).toEqual([hour])
  })

  test('one ends when it is let go of', () => {
    const [lane] = lanesOf([mark(10, 'opened'), mark(40, 'released')], hour, undefined)
    expect(lane?.sessions).toEqual([{ fromMs: 10 * MINUTE, toMs: 40 * MINUTE }])
    expect(lane?.marks.map(({ words }) => words)).toEqual(['Session opened', 'Session closed'])
  })

  test('each source has its own', () => {
    const marks = [mark(10, 'opened'), mark(20, 'opened', { source: 'backup' })]
    expect(lanesOf(marks, hour, undefined).map(({ source }) => source)).toEqual([
      'camera',
      'backup',
    ])
    expect(lanesOf([], hour, undefined)).toEqual([])
  })

  test('whatever happened, they follow one another within the hour', () => {
    const event = fc.constantFrom<Mark['event']>(
      'opened',
      'rolled-over',
      'lost',
      'released',
      'failed',
    )
    const history = fc.array(fc.tuple(fc.nat(60), event, fc.nat(3)))
    fc.assert(
      fc.property(history, fc.boolean(), (happened, isOpen) => {
        const marks = happened
          .toSorted(([a], [b]) => a - b)
          .map(([minute, kind, session]) => mark(minute, kind, { session, cause: 'lost' }))
        const open = isOpen ? { source: 'camera', openedMs: 59 * MINUTE } : undefined
        for (const { sessions } of lanesOf(marks, hour, open)) {
          let lastMs = hour.fromMs
          for (const { fromMs, toMs } of sessions) {
            expect(fromMs).toBeGreaterThanOrEqual(lastMs)
            expect(toMs).toBeGreaterThanOrEqual(fromMs)
            lastMs = toMs
          }
          expect(lastMs).toBeLessThanOrEqual(hour.toMs)
        }
      }),
    )
  })
})

test('states follow one another, and where nobody has looked there is none', () => {
  const at = [0, 10, 20, 30, 90]
  const state = ['live', 'live', 'stale', 'live', 'live'] as const
  expect(stateSpans({ at, state }, 25)).toEqual([
    { fromMs: 0, toMs: 20, state: 'live' },
    { fromMs: 20, toMs: 30, state: 'stale' },
    { fromMs: 30, toMs: 30, state: 'live' },
    { fromMs: 90, toMs: 90, state: 'live' },
  ])
})
