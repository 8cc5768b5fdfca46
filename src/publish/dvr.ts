import { BoundedWait } from '../base/bounded-wait.ts'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Journals } from '../store/journals.ts'
import { DvrIndex, type DvrOptions } from '../timeline/dvr/dvr-index.ts'
import { comparePositions, type DvrSegment, liveSegment } from '../timeline/dvr/dvr-segment.ts'
import { readJournal } from '../timeline/dvr/journal.ts'
import { toRecord } from '../timeline/dvr/record.ts'
import type { InitFacts, Segment } from '../timeline/fragment.ts'
import {
  countSegments,
  type DvrList,
  factsOfList,
  type LiveList,
} from '../timeline/segment-list.ts'
import { DvrJournal } from './dvr-journal.ts'
import { type Inits, initsOf } from './inits.ts'

export interface StreamDvrOptions extends DvrOptions {
  readonly stream: string
  readonly clock: Clock
  readonly log: Log
  readonly inits: Inits
  /** Where the list is saved; undefined where a restart begins a new one. */
  readonly journals: Journals | undefined
}

/** What the saved timeline of an earlier process knows. */
export interface Restored {
  readonly live: LiveList | undefined
  /** Segments that left the live list and may still be asked for, oldest first. */
  readonly retired: readonly Segment[]
}

const NO_LISTS: readonly DvrList[] = Object.freeze([])

/** How much of the past a stream holds. */
export interface DvrSize {
  readonly seconds: number
  readonly segments: number
  readonly bytes: number
}

/** How long a save may take, because viewers do not wait longer for a disk. */
const SAVE_MS = 5_000

/**
 * Holds the past of a stream: which segments there are, not their bytes. As with the timeline, what changes is saved
 * first and shown then, so that a process that is killed has shown nothing that it would take back.
 */
export class Dvr {
  readonly #options: StreamDvrOptions
  readonly #index: DvrIndex
  readonly #journal: DvrJournal | undefined
  readonly #saving: BoundedWait
  /** The live list as it is shown. */
  #live: LiveList | undefined
  /** Segments on their way into the index, whose inits must not be forgotten. */
  #inserting: readonly DvrSegment[] = []

  private constructor(options: StreamDvrOptions, index: DvrIndex) {
    const { journals, stream, inits, log, dvrMs, clock } = options
    this.#options = options
    // While a disk hangs, viewers go on, and a crash would fall back to what was saved last.
    this.#saving = new BoundedWait(clock, SAVE_MS, () => log.error('saving the DVR list hangs'))
    this.#index = index
    this.#journal =
      journals === undefined ? undefined : new DvrJournal({ journals, stream, inits, log, dvrMs })
  }

  /** Goes on where the journal of an earlier process ended, as far as the restored timeline knows of it. */
  static async open(options: StreamDvrOptions, { live, retired }: Restored): Promise<Dvr> {
    const { journals, stream, inits, clock } = options
    const pages = (await journals?.load(stream)) ?? []
    const content = readJournal(pages.flatMap(({ lines }) => lines))
    for (const { facts, bytes } of content.inits) inits.add(facts.rendition, facts.id, bytes)
    const record = toRecord(content, { nextMsn: nextMsn(live), nowMs: clock.now() })
    const dvr = new Dvr(options, DvrIndex.restore(record, options))
    if (live !== undefined) await dvr.#catchUp([...retired, ...live.tail], live)
    return dvr
  }

  /** All editions, the newest last; none until the first publication. The same value until something changes. */
  lists(): readonly DvrList[] {
    return this.#live === undefined ? NO_LISTS : this.#index.lists(this.#live)
  }

  /**
   * Makes segments that are about to be shown, and where the list will begin then, outlive the process.
   * @param live the live list as it will be shown with them
   */
  async record(added: readonly Segment[], live: LiveList): Promise<void> {
    const planned = this.#index.planned(added, live.mediaSequence)
    if (planned !== undefined)
      await this.#saved(this.#journal?.write(added.map(liveSegment), planned))
  }

  /**
   * Lists segments beside that live list.
   * @returns what can no longer be found
   */
  show(added: readonly Segment[], live: LiveList | undefined): readonly DvrSegment[] {
    this.#live = live
    const planned = this.#index.planned(added, this.#liveFrom())
    for (const segment of added) this.#index.append(segment)
    return planned === undefined ? [] : this.#index.evict(planned.head)
  }

  /**
   * Lists segments of the past, and others that they change, as a new edition; one such call at a time. Says whether
   * they are listed.
   */
  async insert(inserted: readonly DvrSegment[]): Promise<boolean> {
    const nowMs = this.#options.clock.now()
    const after = this.#index.editions.at(-1)
    const { head } = this.#index
    const first = inserted.toSorted(comparePositions)[0]
    if (after === undefined || head === undefined || first === undefined) return false
    const id = this.#index.nextEdition(nowMs)
    const state = {
      editions: [...this.#index.editions, id],
      head: comparePositions(first, head) < 0 ? first : head,
    }
    this.#inserting = inserted
    await this.#saved(this.#journal?.writeBatch({ id, after, inserted }, state, nowMs))
    this.#inserting = []
    // While a disk took its time the list may have moved on: an edition must not begin behind another one.
    if (this.#index.editions.at(-1) !== after) return false
    this.#index.insert(
      inserted.filter(({ anchor }) => anchor >= head.anchor),
      id,
    )
    return true
  }

  /**
   * Takes off the list a segment that upstream keeps no longer.
   * @returns what can no longer be found
   */
  async lose(segment: DvrSegment): Promise<readonly DvrSegment[]> {
    const { editions } = this.#index
    const liveFrom = this.#liveFrom()
    const head = this.#index.headWithout(segment, liveFrom)
    if (head === undefined) return []
    await this.#saved(this.#journal?.write([], { editions, head }))
    return this.#index.lose(head)
  }

  find(msn: number): DvrSegment | undefined {
    return this.#index.find(msn)
  }

  *inits(): Generator<InitFacts> {
    yield* this.#index.inits()
    yield* initsOf(this.#inserting)
  }

  /** The live list's target duration, in whole seconds. */
  get targetDuration(): number {
    return this.#live?.targetDuration ?? 0
  }

  /** The name for the next segment that is inserted. */
  get nextInserted(): number {
    return this.#index.nextInserted
  }

  /** Returns what is listed of all that arrived since then, and perhaps a little before, in list order. */
  listedSince(sinceMs: number): readonly DvrSegment[] {
    return this.#index.listedSince(sinceMs)
  }

  segments(): Iterable<DvrSegment> {
    return this.#index.segments()
  }

  size(): DvrSize {
    const list = this.lists().at(-1)
    if (list === undefined) return { seconds: 0, segments: 0, bytes: 0 }
    const facts = factsOfList(list)
    return {
      seconds: facts.reduce((sum, { durationMs }) => sum + durationMs, 0) / 1000,
      segments: countSegments(list),
      bytes: facts.reduce((sum, { bytes }) => sum + bytes, 0),
    }
  }

  /** Lists and saves what was saved with the timeline, but not here any more. */
  async #catchUp(known: readonly Segment[], live: LiveList): Promise<void> {
    const newest = this.#index.newest?.msn ?? -1
    const missing = known.filter(({ msn }) => msn > newest)
    await this.record(missing, live)
    this.show(missing, live)
  }

  #liveFrom(): number {
    return this.#live?.mediaSequence ?? 0
  }

  async #saved(work: Promise<void> | undefined): Promise<void> {
    if (work !== undefined) await this.#saving.for(work)
  }
}

function nextMsn(live: LiveList | undefined): number | undefined {
  return live === undefined ? undefined : live.mediaSequence + live.tail.length
}
