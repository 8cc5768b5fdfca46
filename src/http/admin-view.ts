import type { StreamStatus } from '../streams/status.ts'

/** What the admin listener may see and do. */
export interface AdminView {
  list(): readonly StreamStatus[]
  status(name: string): StreamStatus | undefined
  /**
   * Replaces the upstream session ahead of time.
   * @throws GatewayError `bad_request` when there is none to replace
   */
  rollover(name: string): Promise<void> | void
  /**
   * Chooses the source that is shown; `auto` leaves it to the sources.
   * @throws GatewayError `bad_request` when there is none to choose from
   */
  source(name: string, wanted: 'camera' | 'backup' | 'auto'): Promise<void> | void
  /** Starts a stream as a viewer would. Does not wait for media. */
  start(name: string): Promise<void> | void
  /** Stops a stream until somebody asks for it again. */
  stop(name: string): Promise<void> | void
}
