import type { Log } from '../base/log.ts'
import type { Journals } from '../store/journals.ts'
import type { DvrSegment } from '../timeline/dvr/dvr-segment.ts'
import {
  type Batch,
  batchLine,
  initLine,
  type ListState,
  listLine,
  liveLine,
} from '../timeline/dvr/journal.ts'
import { type Inits, initsOf } from './inits.ts'

export interface DvrJournalOptions {
  readonly journals: Journals
  readonly stream: string
  readonly log: Log
  /** The init segments that the written segments refer to. */
  readonly inits: Inits
  /** How far back the list goes; what left it may be asked for as long again. */
  readonly dvrMs: number
}

/** How long a page is: one hour, by the gateway's clock. */
const PAGE_MS = 3_600_000

/**
 * How much may wait to be written, because beyond this a disk hangs; what is not written is a hole that the next start
 * finds (G18).
 */
const MAX_WAITING = 64

/** The journal of one stream's DVR list: a page an hour, each of which can be read without the others. */
export class DvrJournal {
  readonly #options: DvrJournalOptions
  #page = -1
  /** The inits that the page holds. */
  #told = new Set<string>()
  #list = ''
  /** When all that was handed in is written, or given up. */
  #idle: Promise<void> = Promise.resolve()
  #waiting = 0

  constructor(options: DvrJournalOptions) {
    this.#options = options
  }

  /**
   * Writes segments that are about to be shown. Resolves when they are written, or the disk has refused them.
   * @throws FencedError when another node owns the stream
   */
  write(segments: readonly DvrSegment[], list: ListState): Promise<void> {
    const newest = segments.at(-1)
    if (newest !== undefined) this.#turnTo(newest.receivedMs)
    return this.#append([
      ...this.#initLines(segments),
      ...segments.map(liveLine),
      ...this.#listLines(list),
    ])
  }

  writeBatch(batch: Batch, list: ListState, nowMs: number): Promise<void> {
    this.#turnTo(nowMs)
    return this.#append([
      ...this.#initLines(batch.inserted),
      batchLine(batch),
      ...this.#listLines(list),
    ])
  }

  /** Turns to the page of this time, but never back to an older one when a clock goes back. */
  #turnTo(nowMs: number): void {
    const page = Math.max(this.#page, Math.floor(nowMs / PAGE_MS))
    if (page === this.#page) return
    const { journals, stream, dvrMs } = this.#options
    this.#page = page
    this.#forgetTold()
    void journals.drop(stream, page - 1 - Math.ceil((2 * dvrMs) / PAGE_MS))
  }

  #initLines(segments: readonly DvrSegment[]): string[] {
    return Array.from(initsOf(segments)).flatMap(({ rendition, id }) => {
      const bytes = this.#options.inits.get(rendition, id)
      if (bytes === undefined || this.#told.has(`${rendition} ${id}`)) return []
      this.#told.add(`${rendition} ${id}`)
      return [initLine(bytes)]
    })
  }

  #listLines(list: ListState): string[] {
    const line = listLine(list)
    if (line === this.#list) return []
    this.#list = line
    return [line]
  }

  #append(lines: readonly string[]): Promise<void> {
    const { journals, stream, log } = this.#options
    if (lines.length === 0) return this.#idle
    if (this.#waiting >= MAX_WAITING) {
      log.warn('the DVR list is not saved', { stream })
      return this.#idle
    }
    const page = Math.max(0, this.#page)
    this.#waiting += 1
    const written = this.#idle.then(() => journals.append(stream, page, lines))
    this.#idle = written
      .catch(() => this.#forgetTold())
      .finally(() => {
        this.#waiting -= 1
      })
    return written
  }

  /** Tells everything again with the next lines, because what was refused the page does not hold. */
  #forgetTold(): void {
    this.#told = new Set()
    this.#list = ''
  }
}
