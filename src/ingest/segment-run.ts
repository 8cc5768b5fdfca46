import { crc32 } from 'node:zlib'
import { LRUCache } from 'lru-cache'
import type { TsTail } from '../formats/mpegts/read-ts.ts'
import type { TrackFacts } from '../timeline/fragment.ts'
import type { ListedFragment } from '../upstream/listed-fragment.ts'

/** A segment's place between its neighbours. */
export interface SegmentTurn {
  /** What the segment before it left, as far as that is known by now. */
  readonly before: TsTail | undefined
  /** Resolves to that once it is known for good; undefined when nothing was left, or the segment could not be had. */
  settled(): Promise<TsTail | undefined>
  /** Says what this one leaves; only the first call counts. */
  leave(tail: TsTail | undefined): void
}

/** How many segments tell how long they usually are. */
const SHARES = 9
/** What is shorter was cut: in parts of what is usual, and in milliseconds, because lists are rounded. */
const [LEAST_SHARE, LEAST_MISSING_MS] = [0.85, 150]

/** How many of the last segments are known again. */
const KNOWN = 16

/** What a track is known again by. */
interface Seen {
  readonly bytes: Buffer
  readonly facts: Pick<TrackFacts, 'baseTicks'>
}

/**
 * Orders the segments of one playlist of a session whose media go on from each to the next: frames of sound, or
 * pictures, that begin in one and end in another. They are fetched side by side and read in order.
 */
export class SegmentRun {
  /** Whether damage may come of the way here: what came a second time was sent like this. */
  asksAgain = true
  #last: { readonly number: bigint; readonly turn: Turn } | undefined
  /** How long the last segments were, for how long they were listed. */
  readonly #shares: number[] = []
  /** The number under which something came first. */
  readonly #seen = new LRUCache<string, bigint>({ max: KNOWN })

  /**
   * Notes how long a segment is, and says whether it is much shorter than listed, as one that was cut. Where lists
   * themselves are wrong, the segments before are as short; the first ones are compared with the list.
   * @param isAgain whether it seemed short and has come again: as it is now, it was sent, and it counts for the next
   */
  isShort(mediaMs: number, { durationS }: ListedFragment, isAgain: boolean): boolean {
    const listedMs = durationS * 1000
    if (listedMs === 0) return false
    if (isAgain) this.#note(mediaMs / listedMs)
    const dueMs = this.#usualShare * listedMs
    const isShort = mediaMs < LEAST_SHARE * dueMs && dueMs - mediaMs > LEAST_MISSING_MS
    if (!isShort && !isAgain) this.#note(mediaMs / listedMs)
    return isShort
  }

  /**
   * Notes what came of a segment, and says whether all of it came under another number shortly before, with the same times:
   * no media do that that go on.
   */
  isRepeated(tracks: readonly Seen[], { number, discontinuity }: ListedFragment): boolean {
    const id = tracks.map(({ bytes, facts }) => `${facts.baseTicks} ${crc32(bytes)}`).join()
    const before = this.#seen.peek(id)
    if (before !== undefined) return before !== number && discontinuity === undefined
    this.#seen.set(id, number)
    return false
  }

  get #usualShare(): number {
    return this.#shares.toSorted((a, b) => a - b)[this.#shares.length >> 1] ?? 1
  }

  #note(share: number): void {
    this.#shares.push(share)
    if (this.#shares.length > SHARES) this.#shares.shift()
  }

  /** Takes the next segment, in the order of the list. */
  enter({ number, discontinuity }: ListedFragment): SegmentTurn {
    const last = this.#last
    const follows = last?.number === number - 1n && discontinuity !== 'splice'
    const turn = new Turn(follows ? last.turn : undefined)
    this.#last = { number, turn }
    return turn
  }
}

class Turn implements SegmentTurn {
  readonly #left = Promise.withResolvers<TsTail | undefined>()
  /** The one before, let go once it is settled or this one is over, or each would keep all before it. */
  #previous: Turn | undefined
  #tail: TsTail | undefined
  #before: TsTail | undefined

  constructor(previous: Turn | undefined) {
    this.#previous = previous
  }

  /** What it has left by now. */
  get left(): TsTail | undefined {
    return this.#tail
  }

  /** Resolves to what it leaves. */
  get end(): Promise<TsTail | undefined> {
    return this.#left.promise
  }

  get before(): TsTail | undefined {
    return this.#before ?? this.#previous?.left
  }

  async settled(): Promise<TsTail | undefined> {
    this.#before = await this.#previous?.end
    this.#previous = undefined
    return this.#before
  }

  leave(tail: TsTail | undefined): void {
    this.#tail ??= tail
    this.#left.resolve(tail)
    this.#previous = undefined
  }
}
