import { BoundedWait } from '../base/bounded-wait.ts'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Journals } from '../store/journals.ts'
import { DvrIndex, type DvrOptions } from '../timeline/dvr/dvr-index.ts'
import {
  comparePositions,
  type DvrPosition,
  type DvrSegment,
  liveSegment,
} from '../timeline/dvr/dvr-segment.ts'
import { readJournal } from '../timeline/dvr/journal.ts'
import { toRecord } from '../timeline/dvr/record.ts'
import type { InitFacts, Segment } from '../timeline/fragment.ts'
import { isUnread } from '../timeline/listed.ts'
import {
  countSegments,
  type DvrList,
  factsOfList,
  type LiveList,
} from '../timeline/segment-list.ts'
import type { Timeline } from '../timeline/timeline.ts'
import { DvrJournal } from './dvr-journal.ts'
import type { Inits } from './inits.ts'

export interface StreamDvrOptions extends DvrOptions {
  readonly stream: string
  readonly clock: Clock
  readonly log: Log
  readonly inits: Inits
  /** Where the list is saved; undefined where a restart begins a new one. */
  readonly journals: Journals | undefined
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
  readonly #saving: BoundedWait
  #dvrMs: number
  #index: DvrIndex
  #journal: DvrJournal | undefined
  /** The newest segment that the journal is known to hold; other nodes may have written more. */
  #written = -1
  /** The live list as it is shown. */
  #live: LiveList | undefined

  private constructor(options: StreamDvrOptions) {
    const { clock, log } = options
    this.#options = options
    this.#dvrMs = options.dvrMs
    // While a disk hangs, viewers go on, and a crash would fall back to what was saved last.
    this.#saving = new BoundedWait(clock, SAVE_MS, () => log.error('saving the DVR list hangs'))
    this.#index = new DvrIndex(options)
  }

  /** Goes on where the journal of an earlier process ended, as far as the restored timeline knows of it. */
  static async open(options: StreamDvrOptions, timeline: Timeline): Promise<Dvr> {
    const dvr = new Dvr(options)
    await dvr.reload(timeline)
    return dvr
  }

  /** Begins again from what the journal says, because what is listed here is not what another node has shown. */
  async reload(timeline: Timeline): Promise<void> {
    const { journals, stream, inits, log, clock } = this.#options
    const dvrMs = this.#dvrMs
    const pages = (await journals?.load(stream)) ?? []
    const content = readJournal(pages.flatMap(({ lines }) => lines))
    for (const { facts, bytes } of content.inits) inits.add(facts.rendition, facts.id, bytes)
    const live = timeline.snapshot()
    const record = toRecord(content, { nextMsn: nextMsn(live), nowMs: clock.now() })
    this.#index = DvrIndex.restore(record, { dvrMs })
    this.#written = this.#index.newest?.msn ?? -1
    if (journals !== undefined) {
      const page = pages.at(-1)?.number
      this.#journal = new DvrJournal({ journals, stream, inits, log, dvrMs, page })
    }
    if (live !== undefined) this.show(this.#unwritten(timeline), live)
  }

  /** Goes so far back from now on. */
  resize(dvrMs: number): void {
    this.#dvrMs = dvrMs
    this.#index.resize({ dvrMs })
    this.#journal?.resize(dvrMs)
  }

  /** All editions, the newest last; none until the first publication. The same value until something changes. */
  lists(): readonly DvrList[] {
    return this.#live === undefined ? NO_LISTS : this.#index.lists(this.#live)
  }

  /**
   * Makes segments that are about to be shown, and where the list will begin then, outlive the process; and what is
   * known beside them that nobody here has written, because the node that showed it may have died before.
   * @param timeline as it will be shown with them
   * @throws FencedError when another node owns the stream
   */
  async record(added: readonly Segment[], timeline: Timeline): Promise<void> {
    const planned = this.#index.planned(added, timeline.snapshot()?.mediaSequence ?? 0)
    const newest = added.at(-1)
    if (planned === undefined || newest === undefined) return
    const segments = this.#unwritten(timeline).map(liveSegment)
    await this.#saved(this.#journal?.write(segments, planned, this.#pageMs(newest)))
    this.#written = newest.msn
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
   * Lists segments of the past, and others that they change, as a new edition. Says whether any of them still has a
   * place in the list.
   * @throws FencedError when another node owns the stream
   */
  async insert(found: readonly DvrSegment[]): Promise<boolean> {
    const { head, editions } = this.#index
    const after = editions.at(-1)
    if (after === undefined || head === undefined) return false
    const inserted = found.filter((segment) => this.mayInsert(segment))
    const [first] = inserted.toSorted(comparePositions)
    if (first === undefined) return false
    const id = this.#index.nextEdition(this.#options.clock.now())
    const state = {
      editions: [...editions, id],
      head: comparePositions(first, head) < 0 ? first : head,
    }
    const batch = { id, after, inserted }
    await this.#saved(this.#journal?.writeBatch(batch, state, this.#pageMs()))
    this.#index.insert(inserted, id)
    return true
  }

  /** Says whether something of the past may be listed there. */
  mayInsert(place: DvrPosition): boolean {
    return this.#index.mayInsert(place)
  }

  /**
   * Takes off the list a segment that upstream keeps no longer.
   * @returns what can no longer be found
   * @throws FencedError when another node owns the stream
   */
  async lose(segment: DvrSegment): Promise<readonly DvrSegment[]> {
    const { editions } = this.#index
    const head = this.#index.headWithout(segment, this.#liveFrom())
    if (head === undefined) return []
    await this.#saved(this.#journal?.writeHead({ editions, head }, this.#pageMs()))
    return this.#index.lose(head)
  }

  /**
   * Does as another node did that inserted or lost something: reads the lines that its journal was amended with.
   * @returns what can no longer be found
   * @throws Error when they are not such lines
   */
  async amend(lines: readonly string[], timeline: Timeline): Promise<readonly DvrSegment[]> {
    const { inits, batches, list, damaged } = readJournal(lines)
    if (damaged || list === undefined) throw new Error('what was inserted cannot be read')
    for (const { facts, bytes } of inits) this.#options.inits.add(facts.rendition, facts.id, bytes)
    if (batches.length === 0) return this.#index.lose(list.head)
    const newest = this.#index.editions.at(-1) ?? -1
    const unknown = batches.filter(({ id }) => id > newest)
    if (unknown.some(({ after }) => after !== newest)) await this.reload(timeline)
    else for (const { inserted, id } of unknown) this.#index.insert(inserted, id)
    return []
  }

  find(msn: number): DvrSegment | undefined {
    return this.#index.find(msn)
  }

  inits(): Iterable<InitFacts> {
    return this.#index.inits()
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

  /** Returns what the timeline knows, and the journal perhaps does not. */
  #unwritten(timeline: Timeline): readonly Segment[] {
    return timeline.known().filter((segment) => segment.msn > this.#written && !isUnread(segment))
  }

  /**
   * When the newest segment came, and no earlier than the one before it, because another node's clock may be ahead: the
   * journal is read page by page.
   */
  #pageMs(newest?: Segment): number {
    return Math.max(newest?.receivedMs ?? 0, this.#index.newest?.receivedMs ?? 0)
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
