import { readInit } from '../../../src/formats/mp4/init.ts'
import { DvrIndex } from '../../../src/timeline/dvr/dvr-index.ts'
import {
  comparePositions,
  type DvrSegment,
  liveSegment,
} from '../../../src/timeline/dvr/dvr-segment.ts'
import {
  batchLine,
  initLine,
  listLine,
  liveLine,
  readJournal,
} from '../../../src/timeline/dvr/journal.ts'
import { toRecord } from '../../../src/timeline/dvr/record.ts'
import type { InitFacts, Segment } from '../../../src/timeline/fragment.ts'
import { segmentsOf } from '../../../src/timeline/segment-block.ts'
import type { DvrList } from '../../../src/timeline/segment-list.ts'
import { readClip } from '../../support/mp4.ts'

const VIDEO = readClip('avc').init
const AUDIO = readClip('aac').init
const FACTS = { video: readInit(VIDEO), audio: readInit(AUDIO) }
const OPTIONS = { dvrMs: 600_000 }

/** What a DVR list takes from the live one. */
export const LIVE = { targetDuration: 3, ended: false }

export const FIRST_MSN = 1_000_000
const START_MS = Date.UTC(2026, 0, 1)
export const FRAGMENT_MS = 2_000

/** Two seconds of sound and picture. */
export function segmentAt(msn: number, startMs: number, change: Partial<Segment> = {}): Segment {
  const track = (init: InitFacts) => ({
    init,
    baseTicks: Math.round((startMs / 1000) * init.timescale),
    durationTicks: 2 * init.timescale,
    samples: 50,
    bytes: 100_000,
    id: `${init.rendition}${msn}`.padEnd(16, '0'),
  })
  return {
    msn,
    dsn: 100,
    source: 'camera',
    number: BigInt(msn),
    discontinuity: undefined,
    startMs,
    durationMs: FRAGMENT_MS,
    receivedMs: startMs + 3_000,
    tracks: { video: track(FACTS.video), audio: track(FACTS.audio) },
    ...change,
  }
}

/** Everything of a list, in its order. */
export function listed({ blocks, tail }: DvrList): readonly DvrSegment[] {
  return [...blocks.flatMap((block) => segmentsOf(block)), ...tail]
}

/** A stream's DVR list as the gateway leads it: written first, shown then. */
export class History {
  readonly lines: string[] = [initLine(VIDEO), initLine(AUDIO)]
  index = new DvrIndex(OPTIONS)
  nextMsn = FIRST_MSN
  #dsn = 100
  nextMs = START_MS
  /** Holes in time, which something may be inserted into. */
  readonly holes: { readonly startMs: number; readonly anchor: number }[] = []

  publish(): void {
    const segment = segmentAt(this.nextMsn, this.nextMs, { dsn: this.#dsn })
    this.#add(segment)
  }

  /** The camera was away; what it recorded then may come later. */
  publishAfterHole(): void {
    this.holes.push({ startMs: this.nextMs, anchor: this.nextMsn })
    this.nextMs += 5 * FRAGMENT_MS
    this.#dsn += 1
    this.#add(segmentAt(this.nextMsn, this.nextMs, { dsn: this.#dsn, discontinuity: 'gap' }))
  }

  /** Fills the oldest hole that is still listed, or the time before the first segment. */
  insert(): void {
    const { head } = this.index
    const after = this.index.editions.at(-1)
    if (head === undefined || after === undefined) return
    const hole = this.holes.shift()
    const { startMs, anchor } = hole ?? {
      startMs: head.startMs - 4 * FRAGMENT_MS,
      anchor: head.anchor,
    }
    const first = this.index.nextInserted
    const inserted = [0, 1]
      .map((i) => {
        const receivedMs = this.nextMs
        const change = { discontinuity: 'gap', receivedMs } as const
        return { ...segmentAt(first + i, startMs + (1 + i) * FRAGMENT_MS, change), anchor }
      })
      .filter((segment) => this.index.mayInsert(segment))
    const [earliest] = inserted
    if (earliest === undefined) return
    // What was behind the hole follows on from what fills it.
    const next = hole === undefined ? undefined : this.index.find(anchor)
    const changed = next === undefined ? [] : [{ ...next, discontinuity: undefined }]
    const id = this.index.nextEdition(this.nextMs)
    const place = comparePositions(earliest, head) < 0 ? earliest : head
    this.lines.push(
      batchLine({ id, after, inserted: [...inserted, ...changed] }),
      listLine({ editions: [...this.index.editions, id], head: place }),
    )
    this.index.insert([...inserted, ...changed], id)
  }

  /** The process dies, and another one reads what it wrote. */
  restart(lines: readonly string[] = this.lines): void {
    const record = toRecord(readJournal(lines), { nextMsn: this.nextMsn, nowMs: this.nextMs })
    this.index = DvrIndex.restore(record, OPTIONS)
  }

  #add(segment: Segment): void {
    const planned = this.index.planned([segment], FIRST_MSN * 2)
    if (planned === undefined) throw new Error('nothing was planned')
    this.lines.push(liveLine(liveSegment(segment)), listLine(planned))
    this.index.append(segment)
    this.index.evict(planned.head)
    this.nextMsn += 1
    this.nextMs += FRAGMENT_MS
  }
}
