import type { Follower, SharedTimelines } from './shared-timelines.ts'
import type { StreamLease } from './stream-lease.ts'

/** One stream's lease and timeline, as the stream itself needs them. */
export class StreamOwnership {
  readonly #lease: StreamLease
  readonly #timelines: SharedTimelines
  #told = ''

  constructor(lease: StreamLease, timelines: SharedTimelines) {
    this.#lease = lease
    this.#timelines = timelines
  }

  get isMine(): boolean {
    return this.#lease.isMine
  }

  get isOthers(): boolean {
    return this.#lease.owner !== undefined
  }

  get wantedUntilMs(): number {
    return this.#lease.wantedUntilMs
  }

  want(untilMs: number): void {
    this.#lease.want(untilMs)
  }

  unwant(): void {
    this.#lease.unwant()
  }

  until(isMine: boolean, signal: AbortSignal): Promise<void> {
    return this.#lease.until(isMine, signal)
  }

  changed(signal: AbortSignal): Promise<void> {
    return this.#lease.changed(signal)
  }

  latest(): ReturnType<SharedTimelines['latest']> {
    return this.#timelines.latest(this.#lease.stream)
  }

  follow(follower: Follower, signal: AbortSignal): void {
    this.#timelines.follow(this.#lease.stream, follower, signal)
  }

  /** Tells only what is new. */
  tell(status: unknown): void {
    const told = JSON.stringify(status)
    if (told === this.#told) return
    this.#told = told
    void this.#timelines.tell(this.#lease.stream, status)
  }

  handOver(): boolean {
    return this.#lease.handOver()
  }

  async release(): Promise<void> {
    this.#told = ''
    await this.#lease.release()
  }
}
