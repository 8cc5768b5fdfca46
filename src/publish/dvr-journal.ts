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
  /** The newest page that is there already; undefined when there is none. */
  readonly page: number | undefined
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
  #dvrMs: number
  #page: number
  /** The inits that the page holds. */
  #told = new Set<string>()
  #list = ''
  /** When all that was handed in is written, or given up. */
  #idle: Promise<void> = Promise.resolve()
  #waiting = 0

  constructor(options: DvrJournalOptions) {
    this.#options = options
    this.#dvrMs = options.dvrMs
    this.#page = options.page ?? -1
  }

  /** Keeps pages for a list that goes so far back from now on. */
  resize(dvrMs: number): void {
    this.#dvrMs = dvrMs
  }

  /**
   * Writes segments that are about to be shown. Resolves when they are written, or the disk has refused them.
   * @param atMs when the newest segment came, by whichever clock
   * @throws FencedError when another node owns the stream
   */
  write(segments: readonly DvrSegment[], list: ListState, atMs: number): Promise<void> {
    this.#turnTo(atMs)
    const lines = [
      ...this.#initLines(segments),
      ...segments.map(liveLine),
      ...this.#listLines(list),
    ]
    return this.#append('append', lines)
  }

  /** Writes what is about to be inserted, as {@link write} does, so that whoever reads it needs nothing else. */
  writeBatch(batch: Batch, list: ListState, atMs: number): Promise<void> {
    this.#turnTo(atMs)
    this.#forgetTold()
    const lines = [...this.#initLines(batch.inserted), batchLine(batch), ...this.#listLines(list)]
    return this.#append('amend', lines)
  }

  /** Writes where the list is about to begin because of what upstream has lost, as {@link write} does. */
  writeHead(list: ListState, atMs: number): Promise<void> {
    this.#turnTo(atMs)
    return this.#append('amend', this.#listLines(list))
  }

  /** Turns to the page of this time, but never back to an older one when a clock goes back. */
  #turnTo(atMs: number): void {
    const page = Math.max(this.#page, Math.floor(atMs / PAGE_MS))
    if (page === this.#page) return
    const { journals, stream } = this.#options
    this.#page = page
    this.#forgetTold()
    void journals.drop(stream, page - 1 - Math.ceil((2 * this.#dvrMs) / PAGE_MS))
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

  #append(how: 'append' | 'amend', lines: readonly string[]): Promise<void> {
    const { journals, stream, log } = this.#options
    if (lines.length === 0) return this.#idle
    if (this.#waiting >= MAX_WAITING) {
      log.warn('the DVR list is not saved', { stream })
      return this.#idle
    }
    const page = Math.max(0, this.#page)
    this.#waiting += 1
    const written = this.#idle.then(() => journals[how](stream, page, lines))
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
