import type { Clock } from '../base/clock.ts'
import { doneWithin } from '../base/done-within.ts'
import type { Log } from '../base/log.ts'
import type { Journals } from '../store/journals.ts'
import { DvrIndex, type DvrOptions } from '../timeline/dvr/dvr-index.ts'
import type { DvrList } from '../timeline/dvr/dvr-list.ts'
import { comparePlaces, type DvrSegment, liveSegment } from '../timeline/dvr/dvr-segment.ts'
import { readJournal } from '../timeline/dvr/journal.ts'
import { toRecord } from '../timeline/dvr/record.ts'
import type { InitFacts, Segment } from '../timeline/fragment.ts'
import { countSegments, factsOfList } from '../timeline/segment-list.ts'
import type { Timeline } from '../timeline/timeline.ts'
import { DvrPages } from './dvr-pages.ts'
import { type Inits, initsOf } from './inits.ts'

export interface StreamDvr {
  /**
   * The newest edition, or this one. Undefined until the first publication, while the stream is idle, and
   * for an edition that is not kept any more.
   */
  list(edition?: number): DvrList | undefined
}

export interface StreamDvrOptions extends DvrOptions {
  readonly stream: string
  readonly clock: Clock
  readonly log: Log
  readonly timeline: Timeline
  readonly inits: Inits
  /** Undefined: a restart begins a new list. */
  readonly journals: Journals | undefined
}

/** How much of the past a stream holds. */
export interface DvrSize {
  readonly seconds: number
  readonly segments: number
  readonly bytes: number
}

/** Viewers do not wait longer for a disk. */
const SAVE_MS = 5_000

/**
 * The past of a stream: which segments there are, not their bytes. As with the timeline, what changes is
 * saved first and shown then, so that a process that is killed has shown nothing that it would take back.
 */
export class Dvr implements StreamDvr {
  readonly #options: StreamDvrOptions
  readonly #index: DvrIndex
  readonly #pages: DvrPages | undefined
  #hangs = false
  /** On their way into the index: their inits must not be forgotten. */
  #inserting: readonly DvrSegment[] = []

  private constructor(options: StreamDvrOptions, index: DvrIndex) {
    const { journals, stream, inits, log, dvrMs } = options
    this.#options = options
    this.#index = index
    this.#pages =
      journals === undefined ? undefined : new DvrPages({ journals, stream, inits, log, dvrMs })
  }

  /** Goes on where the journal of an earlier process ended, as far as the restored timeline knows of it. */
  static async open(options: StreamDvrOptions): Promise<Dvr> {
    const { journals, stream, timeline, inits, clock } = options
    const pages = (await journals?.load(stream)) ?? []
    const content = readJournal(pages.flatMap(({ lines }) => lines))
    for (const { facts, bytes } of content.inits) inits.add(facts.rendition, facts.id, bytes)
    const record = toRecord(content, { nextMsn: nextMsn(timeline), nowMs: clock.now() })
    const dvr = new Dvr(options, DvrIndex.restore(record, options))
    await dvr.#catchUp()
    return dvr
  }

  list(edition?: number): DvrList | undefined {
    const live = this.#options.timeline.snapshot()
    if (live === undefined) return undefined
    const { targetDuration, ended } = live
    return this.#index.list({ targetDuration, ended }, edition)
  }

  /** Makes segments that are about to be shown, and where the list will begin then, outlive the process. */
  async record(added: readonly Segment[]): Promise<void> {
    const planned = this.#index.planned(added, this.#liveFrom())
    if (planned !== undefined)
      await this.#saved(this.#pages?.write(added.map(liveSegment), planned))
  }

  /** Lists them. @returns what can no longer be found */
  show(added: readonly Segment[]): readonly DvrSegment[] {
    const planned = this.#index.planned(added, this.#liveFrom())
    for (const segment of added) this.#index.append(segment)
    return planned === undefined ? [] : this.#index.evict(planned.head)
  }

  /**
   * Segments of the past, and others that they change, as a new edition; one such call at a time. Says
   * whether they are listed.
   */
  async insert(inserted: readonly DvrSegment[]): Promise<boolean> {
    const nowMs = this.#options.clock.now()
    const after = this.#index.editions.at(-1)
    const { head } = this.#index
    const first = inserted.toSorted(comparePlaces)[0]
    if (after === undefined || head === undefined || first === undefined) return false
    const id = this.#index.nextEdition(nowMs)
    const state = {
      editions: [...this.#index.editions, id],
      head: comparePlaces(first, head) < 0 ? first : head,
    }
    this.#inserting = inserted
    await this.#saved(this.#pages?.writeBatch({ id, after, inserted }, state, nowMs))
    this.#inserting = []
    // While a disk took its time the list may have moved on: an edition must not begin behind another one.
    if (this.#index.editions.at(-1) !== after) return false
    this.#index.insert(
      inserted.filter(({ anchor }) => anchor >= head.anchor),
      id,
    )
    return true
  }

  /** Upstream keeps a segment no longer. @returns what can no longer be found */
  async lose(segment: DvrSegment): Promise<readonly DvrSegment[]> {
    const { editions } = this.#index
    const liveFrom = this.#liveFrom()
    const head = this.#index.headWithout(segment, liveFrom)
    if (head === undefined) return []
    await this.#saved(this.#pages?.write([], { editions, head }))
    return this.#index.lose(segment, liveFrom)
  }

  find(msn: number): DvrSegment | undefined {
    return this.#index.find(msn)
  }

  *inits(): Generator<InitFacts> {
    yield* this.#index.inits()
    yield* initsOf(this.#inserting)
  }

  /** In whole seconds: that of the live list. */
  get targetDuration(): number {
    return this.#options.timeline.snapshot()?.targetDuration ?? 0
  }

  /** The name for the next segment that is inserted. */
  get nextInserted(): number {
    return this.#index.nextInserted
  }

  /** What is listed of all that arrived since then, and perhaps a little before, in list order. */
  listedSince(sinceMs: number): readonly DvrSegment[] {
    return this.#index.listedSince(sinceMs)
  }

  segments(): Iterable<DvrSegment> {
    return this.#index.segments()
  }

  size(): DvrSize {
    const list = this.list()
    if (list === undefined) return { seconds: 0, segments: 0, bytes: 0 }
    const facts = factsOfList(list)
    return {
      seconds: facts.reduce((sum, { durationMs }) => sum + durationMs, 0) / 1000,
      segments: countSegments(list),
      bytes: facts.reduce((sum, { bytes }) => sum + bytes, 0),
    }
  }

  /** What was saved with the timeline, but not here any more. */
  async #catchUp(): Promise<void> {
    const { timeline } = this.#options
    const newest = this.#index.newest?.msn ?? -1
    const known = [...timeline.retired(), ...(timeline.snapshot()?.tail ?? [])]
    const missing = known.filter(({ msn }) => msn > newest)
    await this.record(missing)
    this.show(missing)
  }

  #liveFrom(): number {
    return this.#options.timeline.snapshot()?.mediaSequence ?? 0
  }

  /** While a disk hangs, viewers go on, and a crash would fall back to what was saved last. */
  async #saved(work: Promise<void> | undefined): Promise<void> {
    if (work === undefined || this.#hangs) return
    const { clock, log } = this.#options
    if (await doneWithin(clock, SAVE_MS, work)) return
    log.error('saving the DVR list hangs')
    this.#hangs = true
    void work.finally(() => {
      this.#hangs = false
    })
  }
}

function nextMsn(timeline: Timeline): number | undefined {
  const snapshot = timeline.snapshot()
  return snapshot === undefined ? undefined : snapshot.mediaSequence + snapshot.tail.length
}
