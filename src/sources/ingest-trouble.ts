/** What the ingest tells its stream about trouble: for the state, the logs and the metrics. */
export interface IngestTrouble {
  /** A session could not be opened, or ended before its time. */
  session(error: unknown): void
  /** A poll failed; polling goes on. */
  poll(error: unknown): void
  /** A track of a fragment cannot be had: the timeline will have a gap. */
  skipped(number: bigint, error: unknown): void
  /** A fragment is shown without something that was announced or sent: what, in words; undefined when it is whole. */
  lacking(number: bigint, what: string | undefined): void
  /**
   * Upstream will not give this fragment in this session. Whether a new session should try: true the
   * first time for each fragment.
   */
  refused(number: bigint, error: unknown): boolean
}
