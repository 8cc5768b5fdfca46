import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { DvrIndex } from '../../../src/timeline/dvr/dvr-index.ts'
import {
  comparePositions,
  type DvrSegment,
  FIRST_INSERTED,
  isInserted,
  liveSegment,
} from '../../../src/timeline/dvr/dvr-segment.ts'
import type { DvrList } from '../../../src/timeline/segment-list.ts'
import { FIRST_MSN, FRAGMENT_MS, History, LIVE, listed, segmentAt } from './history.ts'

/** What one URL has said: its numbers, and which segment has which. */
class Url {
  #media = 0
  #breaks = 0
  readonly #names = new Map<number, string>()

  check(view: DvrList): void {
    const segments = listed(view)
    expect(view.mediaSequence).toBeGreaterThanOrEqual(this.#media)
    expect(view.discontinuitySequence).toBeGreaterThanOrEqual(this.#breaks)
    this.#media = view.mediaSequence
    this.#breaks = view.discontinuitySequence
    let dsn = view.discontinuitySequence
    segments.forEach((segment, i) => {
      dsn += segment.discontinuity === undefined ? 0 : 1
      const name = `${segment.msn} in ${dsn}`
      const msn = view.mediaSequence + i
      expect(this.#names.get(msn) ?? name).toBe(name)
      this.#names.set(msn, name)
    })
    expect(dsn).toBe(segments.at(-1)?.dsn)
  }
}

function checkAll(history: History, urls: Map<number, Url>): void {
  for (const edition of history.index.editions) {
    const view = history.index.list(LIVE, edition)
    if (view === undefined) throw new Error(`edition ${edition} is not to be had`)
    const url = urls.get(edition) ?? new Url()
    urls.set(edition, url)
    url.check(view)
    const segments = listed(view)
    expect(segments.toSorted(comparePositions)).toEqual(segments)
    for (const { msn, tracks } of segments) {
      expect(history.index.find(msn)?.tracks).toEqual(tracks)
    }
  }
}

const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('publish'), times: fc.nat(150) }) },
  { weight: 2, arbitrary: fc.constant({ do: 'hole', times: 1 }) },
  { weight: 2, arbitrary: fc.constant({ do: 'insert', times: 1 }) },
  { weight: 1, arbitrary: fc.constant({ do: 'restart', times: 1 }) },
)

test('G1: whatever comes late and whenever the process dies, no list contradicts itself', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
      const history = new History()
      const urls = new Map<number, Url>()
      history.publish()
      for (const { do: what, times } of steps) {
        for (let i = 0; i < times; i += 1) {
          if (what === 'publish') history.publish()
          if (what === 'hole') history.publishAfterHole()
          if (what === 'insert') history.insert()
          if (what === 'restart') history.restart()
        }
        checkAll(history, urls)
      }
      const before = history.index.lists(LIVE)
      history.restart()
      expect(history.index.lists(LIVE).map(names)).toEqual(before.map(names))
      // G15: of the same blocks, of which gzip forms and entity tags are made.
      expect(history.index.lists(LIVE).map(division)).toEqual(before.map(division))
    }),
    { numRuns: 60 },
  )
})

function names(list: DvrList | undefined): readonly unknown[] {
  if (list === undefined) return []
  const { edition, mediaSequence, discontinuitySequence } = list
  return [edition, mediaSequence, discontinuitySequence, ...listed(list).map(({ msn }) => msn)]
}

/** Where the blocks of a list begin, and how many segments are in each. */
function division({ blocks, tail }: DvrList): readonly unknown[] {
  return [...blocks.map(({ first, facts }) => [first.msn, facts.count]), tail.length]
}

function published(count: number): History {
  const history = new History()
  for (let i = 0; i < count; i += 1) history.publish()
  return history
}

const spanMs = (segments: readonly DvrSegment[]): number => segments.length * FRAGMENT_MS

describe('the list', () => {
  test('is as long as configured, and a block longer at most', () => {
    const history = published(2_000)
    const view = history.index.list(LIVE)
    if (view === undefined) throw new Error('no list')
    expect(spanMs(listed(view))).toBeGreaterThanOrEqual(600_000)
    expect(spanMs(listed(view))).toBeLessThan(700_000)
    expect(view.mediaSequence + listed(view).length).toBe(FIRST_MSN + 2_000)
  })

  test('G6: what left it is found for as long again, and then given back', () => {
    const history = published(100)
    const gone: DvrSegment[] = []
    for (let i = 0; i < 1_000; i += 1) {
      const segment = segmentAt(history.nextMsn + i, history.nextMs + i * FRAGMENT_MS)
      const planned = history.index.planned([segment], FIRST_MSN * 2)
      history.index.append(segment)
      gone.push(...(planned === undefined ? [] : history.index.evict(planned.head)))
    }
    const found = [...history.index.segments()].map(({ msn }) => msn)
    expect(gone.map(({ msn }) => msn)).toEqual(
      Array.from({ length: gone.length }, (_, i) => FIRST_MSN + i),
    )
    expect(found[0]).toBe(FIRST_MSN + gone.length)
    expect(spanMs([...history.index.segments()])).toBeGreaterThan(1_200_000)
  })

  test('G6: what left it is found for its own duration and that of the longest list', () => {
    const history = new History()
    const leftMs = new Map<number, number>()
    let [next, longestMs] = [FIRST_MSN, 0]
    for (let i = 0; i < 1_200; i += 1) {
      history.publish()
      const nowMs = history.nextMs
      for (const head = history.index.head?.msn ?? next; next < head; next += 1) {
        leftMs.set(next, nowMs)
      }
      longestMs = Math.max(longestMs, (history.nextMsn - next) * FRAGMENT_MS)
      for (const [msn, sinceMs] of leftMs) {
        if (nowMs - sinceMs > FRAGMENT_MS + longestMs) leftMs.delete(msn)
        else if (history.index.find(msn) === undefined) throw new Error(`${msn} is gone too soon`)
      }
    }
    expect(longestMs).toBeGreaterThan(600_000)
  })

  test('G6: what was found in the middle is found, also when what left the list was found before and after it', () => {
    const live = Array.from({ length: 20 }, (_, i) =>
      liveSegment(segmentAt(FIRST_MSN + i, 1_000_000 + i * FRAGMENT_MS)),
    )
    const found = (name: number, startMs: number, anchor: number): DvrSegment => ({
      ...segmentAt(FIRST_INSERTED + name, startMs),
      anchor,
    })
    const index = DvrIndex.restore(
      {
        live,
        editions: [
          { id: 1, inserted: [found(0, 990_000, FIRST_MSN)] },
          { id: 2, inserted: [found(1, 1_021_000, FIRST_MSN + 11)] },
          { id: 3, inserted: [found(2, 980_000, FIRST_MSN)] },
        ],
        head: live[5],
      },
      { dvrMs: 600_000 },
    )
    for (const name of [0, 1, 2]) {
      expect(index.find(FIRST_INSERTED + name)?.msn).toBe(FIRST_INSERTED + name)
    }
  })

  test('what is listed live is never taken off it', () => {
    const history = published(300)
    const late = segmentAt(history.nextMsn, history.nextMs + 86_400_000)
    const planned = history.index.planned([late], FIRST_MSN + 250)
    history.index.append(late)
    if (planned !== undefined) history.index.evict(planned.head)
    const view = history.index.list(LIVE)
    expect(view?.mediaSequence).toBeLessThanOrEqual(FIRST_MSN + 250)
    expect(view?.mediaSequence).toBeGreaterThan(FIRST_MSN)
  })

  test('G1: an edition that was given is not changed by what is found later', () => {
    const history = published(50)
    history.publishAfterHole()
    for (let i = 0; i < 10; i += 1) history.publish()
    const [first] = history.index.editions
    const before = names(history.index.list(LIVE, first))
    history.insert()
    expect(names(history.index.list(LIVE, first))).toEqual(before)
    const now = history.index.list(LIVE)
    expect(now?.mediaSequence).toBe(FIRST_MSN - 2)
    expect(now === undefined ? [] : listed(now).filter(isInserted)).toHaveLength(2)
  })

  test('G1: numbers that do not follow on begin a new edition, behind a gap', () => {
    const history = published(10)
    const [first] = history.index.editions
    history.index.append(segmentAt(FIRST_MSN + 5_000, history.nextMs))
    expect(history.index.editions).toHaveLength(1)
    expect(history.index.list(LIVE, first)).toBeUndefined()
    const view = history.index.list(LIVE)
    expect(view?.mediaSequence).toBe(FIRST_MSN + 4_990)
    expect(view === undefined ? [] : listed(view).at(-1)).toMatchObject({ discontinuity: 'gap' })
  })

  test('G1, G15: what has left it does not come back with something older, here or after a restart', () => {
    // The hole ends where a block does, so that what fills it leaves without what follows it.
    const history = published(20)
    history.publishAfterHole()
    const [hole] = history.holes
    if (hole === undefined) throw new Error('there is no hole')
    history.insert()
    while (history.index.head?.msn !== hole.anchor) history.publish()
    const before = names(history.index.list(LIVE))
    history.holes.push({ ...hole, startMs: hole.startMs - FRAGMENT_MS })
    history.insert()
    expect(names(history.index.list(LIVE))).toEqual(before)

    // What stands behind all that has left has a place.
    history.holes.push({ ...hole, startMs: hole.startMs + 1.5 * FRAGMENT_MS })
    history.insert()
    const after = history.index.lists(LIVE).map(names)
    expect(after.at(-1)?.slice(3, 6)).toEqual([FIRST_INSERTED + 2, FIRST_INSERTED + 3, hole.anchor])
    history.restart()
    expect(history.index.lists(LIVE).map(names)).toEqual(after)
  })

  test('G1, G15: begins at the same segment in all editions, wherever their blocks end', () => {
    const live = Array.from({ length: 200 }, (_, i) =>
      liveSegment(segmentAt(FIRST_MSN + i, 1_000_000 + i * 100)),
    )
    const index = new DvrIndex({ dvrMs: 600_000 })
    for (const segment of live) index.append(segment)
    const [first = 0] = index.editions
    const anchor = FIRST_MSN + 10
    const inserted = [{ ...segmentAt(FIRST_INSERTED, 1_000_950), anchor }]
    index.insert(inserted, first + 1)
    const [, next] = index.list(LIVE)?.blocks ?? []
    const head = next?.first ?? index.list(LIVE)?.tail[0]
    if (head === undefined) throw new Error('the list is of one block')
    index.evict(head)
    expect(index.lists(LIVE).map((list) => listed(list)[0]?.msn)).toEqual([head.msn, head.msn])

    const editions = [
      { id: first, inserted: [] },
      { id: first + 1, inserted },
    ]
    const restored = DvrIndex.restore({ live, editions, head }, { dvrMs: 600_000 })
    expect(restored.lists(LIVE).map(names)).toEqual(index.lists(LIVE).map(names))
    expect(restored.lists(LIVE).map(division)).toEqual(index.lists(LIVE).map(division))
  })

  test('G6: what upstream keeps no longer leaves it, with all that is older', () => {
    const history = published(200)
    const gone = history.index.find(FIRST_MSN + 60)
    if (gone === undefined) throw new Error('not found')
    const head = history.index.headWithout(gone, FIRST_MSN + 190)
    if (head === undefined) throw new Error('nothing is lost')
    const lost = history.index.lose(head)
    expect(lost.map(({ msn }) => msn)).toContain(FIRST_MSN)
    expect(history.index.head).toMatchObject({ msn: head.msn })
    expect(history.index.find(FIRST_MSN + 60)).toBeUndefined()
    expect(history.index.find(FIRST_MSN + 190)).toBeDefined()
  })
})

describe('a journal', () => {
  test('whose middle is lost gives what is left, as a new edition behind a gap', () => {
    const history = published(100)
    const editions = [...history.index.editions]
    history.restart(
      history.lines.filter((line) => !line.includes(`"live":{"msn":${FIRST_MSN + 50},`)),
    )
    expect(history.index.editions[0]).toBeGreaterThan(editions[0] ?? 0)
    const view = history.index.list(LIVE)
    expect(view === undefined ? 0 : listed(view)).toHaveLength(99)
    expect(history.index.find(FIRST_MSN + 51)?.discontinuity).toBe('gap')
  })

  test('with a line that is no line does not number it as before', () => {
    const history = published(10)
    const editions = [...history.index.editions]
    history.restart([...history.lines, '{"edition":1,"af'])
    expect(history.index.editions).not.toEqual(editions)
    expect(history.index.list(LIVE)?.mediaSequence).toBe(FIRST_MSN)
  })

  test('that knows more than the timeline does not list what was never shown', () => {
    const history = published(10)
    history.nextMsn -= 2
    history.restart()
    expect(history.index.newest?.msn).toBe(FIRST_MSN + 7)
  })

  test('whatever it says, it is a list or nothing', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.json(), fc.string())), (lines) => {
        const history = new History()
        history.restart(lines)
        expect(history.index.list(LIVE)).toBeUndefined()
      }),
    )
  })
})

test('an index of nothing has no list', () => {
  expect(new DvrIndex({ dvrMs: 1000 }).list(LIVE)).toBeUndefined()
})
