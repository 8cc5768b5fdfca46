import { ChangeSignal } from '../../src/base/signal.ts'
import { ALONE, type Follower, type Ownership } from '../../src/streams/ownership.ts'

/** Another node owns the stream, until this one takes it. */
export class Follows implements Ownership {
  isMine = false
  follower: Follower | undefined
  status: unknown
  readonly told: unknown[] = []
  readonly #changed = new ChangeSignal()
  readonly wantedUntilMs = Number.POSITIVE_INFINITY

  get isOthers(): boolean {
    return !this.isMine
  }

  want(): void {}
  unwant(): void {}

  async until(isMine: boolean, signal: AbortSignal): Promise<void> {
    while (this.isMine !== isMine) await this.#changed.wait(signal)
  }

  changed(signal: AbortSignal): Promise<void> {
    return this.#changed.wait(signal)
  }

  latest(): ReturnType<Ownership['latest']> {
    return Promise.resolve({ saved: undefined, status: this.status })
  }

  follow(follower: Follower): void {
    this.follower = follower
  }

  tell(status: unknown): void {
    this.told.push(status)
  }

  handOver(): boolean {
    return ALONE.handOver()
  }

  release(): Promise<void> {
    return ALONE.release()
  }

  take(): void {
    this.isMine = true
    this.#changed.notify()
  }
}
