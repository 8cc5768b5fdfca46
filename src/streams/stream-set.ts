import type { Clock } from '../base/clock.ts'
import { type DynamicEntry, DynamicStreams } from './dynamic-streams.ts'
import type { LiveStream } from './live-stream.ts'

/** Holds all streams: those that are configured, and those that exist by pattern. */
export class StreamSet {
  readonly #configured: ReadonlyMap<string, LiveStream>
  readonly dynamic: DynamicStreams

  constructor(
    clock: Clock,
    configured: readonly LiveStream[],
    entries: readonly DynamicEntry[] = [],
  ) {
    this.#configured = new Map(configured.map((stream) => [stream.name, stream]))
    this.dynamic = new DynamicStreams(clock, entries)
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

  /** Finds the stream as {@link get} does, for somebody who uses it, so that it is kept. */
  use(name: string): LiveStream | undefined {
    return this.#configured.get(name) ?? this.dynamic.use(name)
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
    await Promise.all([
      this.dynamic.close(),
      ...[...this.#configured.values()].map((stream) => stream.close()),
    ])
  }
}
