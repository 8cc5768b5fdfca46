import { type BlockFacts, factsOf } from '../block-facts.ts'
import { RENDITIONS } from '../cursor.ts'
import type { InitFacts, RenditionName, Segment } from '../fragment.ts'
import { firstEdition } from '../numbering.ts'
import { findIn, type PublishedBlock, segmentsOf } from '../segment-block.ts'
import type { DvrList } from '../segment-list.ts'
import {
  comparePositions,
  type DvrPosition,
  type DvrSegment,
  FIRST_INSERTED,
  isInserted,
  liveSegment,
} from './dvr-segment.ts'
import { Division, type Edition } from './edition.ts'
import type { ListState } from './journal.ts'

export interface DvrOptions {
  /** How far back the list goes, in milliseconds. */
  readonly dvrMs: number
}

/** What a DVR list takes from the live one. */
export type LiveFacts = Pick<DvrList, 'targetDuration' | 'ended'>

/** What an earlier process knew. */
export interface DvrRecord {
  /** The published segments, in order of MSNs. */
  readonly live: readonly DvrSegment[]
  /** What each edition brought, oldest first; the first may bring nothing. */
  readonly editions: readonly { readonly id: number; readonly inserted: readonly DvrSegment[] }[]
  /** The place of the first segment that was still listed. */
  readonly head: DvrPosition | undefined
}

/**
 * How many editions are kept, because players keep one for as long as they watch; each costs as much as the blocks that
 * it has alone.
 */
const MAX_EDITIONS = 128

/**
 * How long a block is at most, however few segments there are, because the list is longer by that much: as long as a
 * block's segments of two seconds.
 */
const BLOCK_MS = 256_000
/** How many blocks a list has at least, because it is longer by one than it need be; fewer compress better. */
const LEAST_BLOCKS = 12

/**
 * Lists what was published, for hours, and what was found later: pure, as the timeline is.
 *
 * Invariants: the newest segment of every edition is the newest that was published; its blocks and its tail hold
 * segments in the order of their places; a segment never changes.
 */
export class DvrIndex {
  #dvrMs: number
  #blockMs: number
  #division: Division
  /** The editions, newest last; never empty once something was appended. */
  #editions: readonly Edition[] = []
  /** Blocks that left the list and that players may still ask for (G6), oldest first. */
  #retired: readonly PublishedBlock[] = []
  #newest: DvrSegment | undefined
  /** The last place that has left the list; all others that have are before it. */
  #left: DvrPosition | undefined
  #nextInserted = FIRST_INSERTED
  #version = 0
  #lists: readonly DvrList[] | undefined

  constructor({ dvrMs }: DvrOptions) {
    this.#dvrMs = dvrMs
    this.#blockMs = blockMsOf(dvrMs)
    this.#division = new Division(this.#blockMs)
  }

  /** Goes so far back from now on. The blocks that are there stay as they are. */
  resize({ dvrMs }: DvrOptions): void {
    this.#dvrMs = dvrMs
    if (blockMsOf(dvrMs) === this.#blockMs) return
    this.#blockMs = blockMsOf(dvrMs)
    this.#division = new Division(this.#blockMs)
  }

  static restore(record: DvrRecord, options: DvrOptions): DvrIndex {
    const index = new DvrIndex(options)
    index.#restore(record)
    return index
  }

  get newest(): DvrSegment | undefined {
    return this.#newest
  }

  /** The name for the next segment that is inserted. */
  get nextInserted(): number {
    return this.#nextInserted
  }

  get editions(): readonly number[] {
    return this.#editions.map(({ id }) => id)
  }

  /** The place of the first segment of the newest edition. */
  get head(): DvrPosition | undefined {
    return this.#blocks[0]?.first ?? this.#tail[0]
  }

  /**
   * Appends a segment that was published. One that does not follow on, as after the loss of a saved timeline, is behind
   * a gap, and begins a new edition, because the older ones would have to number it twice.
   * @returns it, as the list has it
   */
  append(segment: Segment): DvrSegment {
    const follows = this.#follows(segment)
    const discontinuity = segment.discontinuity ?? (follows ? undefined : 'gap')
    const added = liveSegment({ ...segment, discontinuity })
    if (!follows || this.#editions.length === 0) this.#startOver(added)
    this.#editions = this.#division.appended(this.#editions, added)
    this.#newest = added
    this.#change()
    return added
  }

  /**
   * Returns an id for {@link insert}, greater than those of all editions before, also of those that nobody remembers.
   */
  nextEdition(atMs: number): number {
    return Math.max(firstEdition(atMs), (this.#editions.at(-1)?.id ?? -1) + 1)
  }

  /**
   * Says whether something may be inserted there: not before what has left the list, because it is older, and a list
   * that went back to it would have to know for ever which of the segments behind it have left.
   */
  mayInsert(place: DvrPosition): boolean {
    const { head } = this
    if (head === undefined || place.anchor < head.anchor) return false
    return this.#left === undefined || comparePositions(place, this.#left) > 0
  }

  /** Begins a new edition with segments of the past, each with the place and the name that it shall have. */
  insert(inserted: readonly DvrSegment[], id: number): void {
    const edition = this.#division.withInserted(this.#current(), id, inserted)
    this.#editions = [...this.#editions, edition].slice(-MAX_EDITIONS)
    this.#noteNames(inserted)
    this.#change()
  }

  /** Says where the list will stand once these have been appended, and what then is too old is off it. */
  planned(added: readonly Segment[], liveFrom: number): ListState | undefined {
    const [first, newest] = [added[0], added.at(-1)]
    if (first === undefined || newest === undefined) return undefined
    const follows = this.#follows(first) && this.#editions.length > 0
    return {
      editions: follows ? this.editions : [this.nextEdition(first.receivedMs)],
      head: this.nextHead(newest.receivedMs, liveFrom) ?? liveSegment(first),
    }
  }

  /**
   * Says where the list will begin once a segment has been published that was complete at `receivedMs`: blocks leave it
   * that hold nothing of the last `dvrMs`, nor what is listed live, which is all from `liveFrom` on.
   */
  nextHead(receivedMs: number, liveFrom: number): DvrPosition | undefined {
    const sinceMs = receivedMs - this.#dvrMs
    const first = this.#blocks.find(
      ({ last, facts }) => facts.receivedMs >= sinceMs || last.anchor >= liveFrom,
    )
    return first?.first ?? this.#tail[0]
  }

  /**
   * Takes off the list what lies before its new head, and forgets what has been off it for as long as the
   * list is, with the block by which it is longer than it need be: players may still be on their way to it (G6).
   * @returns what can no longer be found
   */
  evict(head: DvrPosition): readonly DvrSegment[] {
    const left = this.#current().blocks.filter(({ last }) => comparePositions(last, head) < 0)
    this.#behead(left)
    this.#retired = [...this.#retired, ...left]
    const sinceMs = (this.#newest?.receivedMs ?? 0) - 2 * this.#dvrMs
    const expired = this.#retired.filter(({ facts: { receivedMs, durationMs } }) => {
      return receivedMs < sinceMs - 2 * Math.max(this.#blockMs, durationMs)
    })
    this.#retired = this.#retired.filter((block) => !expired.includes(block))
    return expired.flatMap((block) => segmentsOf(block))
  }

  /**
   * Says where the list would begin if upstream kept a segment no longer, nor what is older, because a list names only
   * what can be had (G6). Undefined when it stays as it is: what is listed live, from `liveFrom` on, does.
   */
  headWithout(segment: DvrSegment, liveFrom: number): DvrPosition | undefined {
    const { blocks } = this.#current()
    const kept = blocks.findIndex((block) => !isLost(block, segment, liveFrom))
    if (kept === 0 || blocks.length === 0) return undefined
    return (kept === -1 ? undefined : blocks[kept]?.first) ?? this.#tail[0]
  }

  /**
   * Lets the list begin where {@link headWithout} says, and forgets at once what lies before.
   * @returns what can no longer be found
   */
  lose(head: DvrPosition): readonly DvrSegment[] {
    const isBefore = ({ last }: PublishedBlock): boolean => comparePositions(last, head) < 0
    const retired = this.#retired.filter(isBefore)
    const listed = this.#blocks.filter(isBefore)
    this.#retired = this.#retired.filter((block) => !isBefore(block))
    this.#behead(listed)
    return [...retired, ...listed].flatMap((block) => segmentsOf(block))
  }

  find(msn: number): DvrSegment | undefined {
    const listed = this.#tail.find((segment) => segment.msn === msn)
    if (listed !== undefined) return listed
    return isInserted({ msn }) ? this.#findInserted(msn) : this.#findPublished(msn)
  }

  /** Yields all that can be found, by time of publication. */
  *segments(): Generator<DvrSegment> {
    for (const block of this.#allBlocks()) yield* segmentsOf(block)
    yield* this.#tail
  }

  /**
   * Returns what the newest edition lists of all that arrived since then, and perhaps a little before, in list order.
   */
  listedSince(sinceMs: number): readonly DvrSegment[] {
    const blocks = this.#blocks
    const first = blocks.findIndex(({ facts }) => facts.receivedMs >= sinceMs)
    const recent = first === -1 ? [] : blocks.slice(Math.max(0, first - 1))
    return [...recent.flatMap((block) => segmentsOf(block)), ...this.#tail]
  }

  /** Yields the inits that all that can be found needs. */
  *inits(): Generator<InitFacts> {
    const facts = [...this.#allBlocks().map((block) => block.facts), factsOf(this.#tail)]
    for (const { renditions } of facts) {
      for (const { inits } of Object.values(renditions)) yield* inits
    }
  }

  /**
   * All editions, the newest last; none before anything was appended. The same value until something changes.
   * @param live what they share with the live list
   */
  lists(live: LiveFacts): readonly DvrList[] {
    const { targetDuration, ended } = live
    const [known] = this.#lists ?? []
    const isKnown = known?.targetDuration === targetDuration && known.ended === ended
    if (this.#lists === undefined || !isKnown) this.#lists = this.#toLists(live)
    return this.#lists
  }

  /** Returns the newest edition, or that one; undefined when there is nothing, or no such edition any more. */
  list(live: LiveFacts, edition?: number): DvrList | undefined {
    const lists = this.lists(live)
    return edition === undefined ? lists.at(-1) : lists.find((list) => list.edition === edition)
  }

  #toLists(live: LiveFacts): readonly DvrList[] {
    const newest = this.#newest
    if (newest === undefined) return Object.freeze([])
    const facts = new Map(this.#editions.map(({ tail }) => [tail, factsOf(tail)]))
    return Object.freeze(
      this.#editions.map((edition) => {
        return this.#toList(edition, newest, facts.get(edition.tail) ?? factsOf(edition.tail), live)
      }),
    )
  }

  #toList(edition: Edition, newest: DvrSegment, tail: BlockFacts, live: LiveFacts): DvrList {
    const { id, blocks } = edition
    const { count, discontinuities, renditions } = sumOf(blocks)
    return Object.freeze({
      edition: id,
      version: this.#version,
      targetDuration: live.targetDuration,
      mediaSequence: newest.msn + 1 - count - tail.count,
      discontinuitySequence: Math.max(0, newest.dsn - discontinuities - tail.discontinuities),
      type: undefined,
      ended: live.ended,
      renditions: RENDITIONS.filter(
        (name) => renditions.has(name) || tail.renditions[name] !== undefined,
      ),
      blocks,
      tail: edition.tail,
    })
  }

  #follows({ msn }: Segment): boolean {
    return this.#newest === undefined || msn === this.#newest.msn + 1
  }

  #current(): Edition {
    const edition = this.#editions.at(-1)
    if (edition === undefined) throw new Error('the DVR list has not begun')
    return edition
  }

  /** Begins a new edition: what the list holds stays in it, under another URL. */
  #startOver(next: DvrSegment): void {
    const id = this.nextEdition(next.receivedMs)
    // Numbers that go back are a timeline of its own: nothing of this one can be listed with it.
    const isBack = this.#newest !== undefined && next.msn <= this.#newest.msn
    const [blocks, tail] = isBack ? [[], []] : [this.#blocks, this.#tail]
    if (isBack) {
      this.#retired = []
      this.#left = undefined
    }
    this.#editions = [{ id, blocks, tail }]
  }

  /** The blocks of the newest edition. */
  get #blocks(): readonly PublishedBlock[] {
    return this.#editions.at(-1)?.blocks ?? []
  }

  /** The tail of the newest edition. */
  get #tail(): readonly DvrSegment[] {
    return this.#editions.at(-1)?.tail ?? []
  }

  /** Takes the blocks off all editions but the newest once that holds nothing of them. */
  #behead(left: readonly PublishedBlock[]): void {
    const last = left.at(-1)?.last
    if (last === undefined) return
    this.#left = last
    const newest = this.#current()
    const blocks = newest.blocks.slice(left.length)
    const head = blocks[0]?.first ?? this.#tail[0]
    this.#editions = this.#editions.map((edition) => {
      if (edition === newest) return { ...edition, blocks }
      return head === undefined
        ? { ...edition, blocks: [] }
        : this.#division.withoutHead(edition, head)
    })
    this.#change()
  }

  #allBlocks(): readonly PublishedBlock[] {
    return [...this.#retired, ...this.#blocks]
  }

  #findPublished(msn: number): DvrSegment | undefined {
    const blocks = this.#allBlocks()
    const block = blocks.find(({ last }) => last.anchor >= msn && !isOnlyBefore(last, msn))
    return block === undefined ? undefined : findIn(block, msn)
  }

  /**
   * Finds an inserted segment by name. Names are given in order of discovery, so a block may hold the first and the
   * last without those between.
   */
  #findInserted(msn: number): DvrSegment | undefined {
    for (const block of this.#allBlocks()) {
      const { inserted } = block.facts
      const mayHave = inserted !== undefined && inserted[0] <= msn && msn <= inserted[1]
      const found = mayHave ? findIn(block, msn) : undefined
      if (found !== undefined) return found
    }
    return undefined
  }

  #restore({ live, editions, head }: DvrRecord): void {
    const [first] = editions
    if (first === undefined || live.length === 0) return
    this.#newest = live.at(-1)
    const all = editions.flatMap(({ inserted }) => inserted)
    const place = head ?? [...live, ...all].toSorted(comparePositions)[0]
    const isListed = (segment: DvrSegment): boolean =>
      place === undefined || comparePositions(segment, place) >= 0
    const past = [...live, ...all.filter(isInserted)].filter((segment) => !isListed(segment))
    this.#retired = this.#division.blocks(past.toSorted(comparePositions))
    this.#left = this.#retired.at(-1)?.last
    let edition = this.#division.edition(first.id, live.filter(isListed))
    for (const { id, inserted } of editions) {
      edition = this.#division.withInserted(edition, id, inserted.filter(isListed))
      this.#editions = [...this.#editions, edition].slice(-MAX_EDITIONS)
    }
    this.#noteNames(all)
    this.#change()
  }

  #noteNames(inserted: readonly DvrSegment[]): void {
    const names = inserted.filter(isInserted).map(({ msn }) => msn + 1)
    this.#nextInserted = Math.max(this.#nextInserted, ...names)
  }

  #change(): void {
    this.#version += 1
    this.#lists = undefined
  }
}

/** What an edition's blocks amount to, which change once in minutes, while its list does with each segment. */
interface Sum {
  readonly count: number
  readonly discontinuities: number
  readonly renditions: ReadonlySet<RenditionName>
}

const SUMS = new WeakMap<readonly PublishedBlock[], Sum>()

function sumOf(blocks: readonly PublishedBlock[]): Sum {
  const known = SUMS.get(blocks)
  if (known !== undefined) return known
  const facts = blocks.map((block) => block.facts)
  const sum = {
    count: facts.reduce((total, { count }) => total + count, 0),
    discontinuities: facts.reduce((total, { discontinuities }) => total + discontinuities, 0),
    renditions: new Set(
      RENDITIONS.filter((name) => facts.some(({ renditions }) => renditions[name] !== undefined)),
    ),
  }
  SUMS.set(blocks, sum)
  return sum
}

/** Says whether a block goes with a segment that is gone. */
function isLost({ first, last }: PublishedBlock, gone: DvrSegment, liveFrom: number): boolean {
  return comparePositions(first, gone) <= 0 && last.anchor < liveFrom
}

/** Says whether a block ends in what was inserted before this segment. */
function isOnlyBefore(last: DvrSegment, msn: number): boolean {
  return last.anchor === msn && isInserted(last)
}

function blockMsOf(dvrMs: number): number {
  return Math.min(BLOCK_MS, dvrMs / LEAST_BLOCKS)
}
