/** How many bytes of JSON a timeline has at most: far more than any needs. */
export const MOST_TIMELINE_BYTES = 16 * 1024 * 1024

/**
 * Keeps the newest state of each stream's timeline, as JSON, so that numbering goes on after a restart (G1). A process
 * that is killed leaves the one before or the one after, never half of one. What the JSON says is the caller's affair.
 * Nothing here rejects but for another owner: what cannot be read or written is logged, and streams go on.
 */
export interface SavedTimelines {
  /** Reads what was saved last under this name, unchecked; undefined if nothing was or it cannot be read. */
  load(stream: string): Promise<unknown>
  /** Names those of the wanted under which something was saved, the newest first. */
  names(wanted: (stream: string) => boolean): Promise<readonly string[]>
  /**
   * Resolves once it would be found after a crash, or is given up. A place that several nodes share says within a
   * second which of the two it is, because what is not refused by then is shown.
   * @throws FencedError when another node owns the stream
   */
  save(stream: string, timeline: unknown): Promise<void>
}
