/** Lines of a journal that can be read without the others. */
export interface JournalPage {
  /** The page's number; pages are written in order of their numbers, one after the other. */
  readonly number: number
  readonly lines: readonly string[]
}

/** How many bytes are in a page at most: far more than an hour of any stream needs. */
export const MOST_PAGE_BYTES = 64 * 1024 * 1024

/**
 * Keeps lines by stream, to which one only ever appends, because it would be too much to write them anew with each
 * fragment. What the lines say is the caller's affair. Nothing here rejects but for another owner: a place that fails has
 * lost what it should have written, and has nothing to read, which is logged.
 */
export interface Journals {
  /** Reads all pages that can be read, in order. A line that was cut short by a crash counts as never written. */
  load(stream: string): Promise<readonly JournalPage[]>
  /**
   * Resolves once the lines would be found after a crash, or are given up.
   * @throws FencedError when another node owns the stream, as {@link SavedTimelines.save} does
   */
  append(stream: string, page: number, lines: readonly string[]): Promise<void>
  /**
   * Appends lines as {@link append} does that say how what was there before has changed. A place that several nodes share
   * hands them to the others, who can read them without any before, because nothing else that they are told says so.
   */
  amend(stream: string, page: number, lines: readonly string[]): Promise<void>
  /** Removes the pages before `page`. */
  drop(stream: string, page: number): Promise<void>
  /** Removes the journals of all other streams. */
  keepOnly(streams: Iterable<string>): Promise<void>
}
