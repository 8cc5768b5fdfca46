/** What the ingest tells its stream about trouble: for the state, the logs and the metrics. */
export interface IngestTrouble {
  /** Says that a session could not be opened, or ended before its time. */
  session(error: unknown): void
  /** Says that a poll failed; polling goes on. */
  poll(error: unknown): void
  /** Says that a track of a fragment cannot be had, so that the timeline will have a gap. */
  skipped(number: bigint, error: unknown): void
  /**
   * Says what a fragment lacks that was announced or sent, in words, and is shown without; undefined when it is whole.
   */
  lacking(number: bigint, what: string | undefined): void
  /**
   * Says that upstream will not give this fragment in this session. Returns whether a new session should try, which is
   * true the first time for each fragment.
   */
  refused(number: bigint, error: unknown): boolean
}
