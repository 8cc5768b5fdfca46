import type { Clock } from '../base/clock.ts'
import { type DynamicEntry, DynamicStreams } from './dynamic-streams.ts'
import type { LiveStream } from './live-stream.ts'

/** Holds all streams: those that are configured, and those that exist by pattern. */
export class StreamSet {
  #configured: ReadonlyMap<string, LiveStream> = new Map()
  /** Streams that are no more, for who has a list of them. */
  readonly #leaving = new Map<string, LiveStream>()
  readonly dynamic: DynamicStreams

  constructor(clock: Clock) {
    this.dynamic = new DynamicStreams(clock)
  }

  /**
   * Has these streams configured, in this order, and makes others by these patterns. A stream that was configured and now
   * matches a pattern is one by pattern, and the other way round; so is one that was leaving.
   * @returns those that neither is any more: they are leaving
   */
  replace(
    configured: readonly LiveStream[],
    entries: readonly DynamicEntry[],
  ): readonly LiveStream[] {
    const before = [...this.#configured.values(), ...this.#leaving.values()]
    this.#configured = new Map(configured.map((stream) => [stream.name, stream]))
    this.#leaving.clear()
    for (const name of this.#configured.keys()) this.dynamic.release(name)
    const unmatched = this.dynamic.replace(entries)
    const others = before.filter(({ name }) => !this.#configured.has(name))
    const gone = [...unmatched, ...others.filter((stream) => !this.dynamic.adopt(stream))]
    for (const stream of gone) this.#leaving.set(stream.name, stream)
    return gone
  }

  /** Forgets a stream that was leaving; says whether it still was. */
  left(stream: LiveStream): boolean {
    return this.isLeaving(stream) && this.#leaving.delete(stream.name)
  }

  isLeaving(stream: LiveStream): boolean {
    return this.#leaving.get(stream.name) === stream
  }

  /** The configured ones, in the file's order. */
  names(): readonly string[] {
    return [...this.#configured.keys()]
  }

  *all(): Iterable<LiveStream> {
    yield* this.#configured.values()
    yield* this.dynamic.all()
  }

  /** Finds the stream if it is there now. */
  get(name: string): LiveStream | undefined {
    return this.#configured.get(name) ?? this.dynamic.get(name)
  }

  /**
   * Finds the stream as {@link get} does, for somebody who uses it, so that it is kept; also one that is leaving, which has
   * no lists any more.
   */
  use(name: string): LiveStream | undefined {
    return this.#configured.get(name) ?? this.dynamic.use(name) ?? this.#leaving.get(name)
  }

  /** Says whether a stream of this name is there or may be made; leaves no trace (G17). */
  mayExist(name: string): boolean {
    return this.#configured.has(name) || this.dynamic.mayExist(name)
  }

  /** Says whether it exists by pattern rather than by name. */
  isDynamic(name: string): boolean {
    return !this.#configured.has(name)
  }

  /**
   * Does something with the stream, made if need be.
   * @throws GatewayError `stream_not_found`, or why it cannot be made; what `work` throws
   */
  async using<T>(name: string, work: (stream: LiveStream) => Promise<T>, by: string): Promise<T> {
    const configured = this.#configured.get(name)
    return configured === undefined ? this.dynamic.using(name, work, by) : work(configured)
  }

  /** Stops all streams. Resolves when nothing runs any more. */
  async close(): Promise<void> {
    const others = [...this.#configured.values(), ...this.#leaving.values()]
    await Promise.all([this.dynamic.close(), ...others.map((stream) => stream.close())])
  }
}
