import { GatewayError } from '../base/errors.ts'
import type { LiveStream } from './live-stream.ts'
import type { RunningLimit } from './running-limit.ts'
import type { StreamSet } from './stream-set.ts'

/**
 * Finds streams by public name, as viewers ask for them. A name that neither is configured nor matches a pattern leaves
 * no trace: nothing is made, counted or asked for it (G17).
 */
export class Registry {
  readonly #streams: StreamSet
  readonly #limit: RunningLimit
  readonly #closing = new AbortController()

  constructor(streams: StreamSet, limit: RunningLimit) {
    this.#streams = streams
    this.#limit = limit
  }

  names(): readonly string[] {
    return this.#streams.names()
  }

  /** All streams that are there. Looking at them does not count as use. */
  all(): Iterable<LiveStream> {
    return this.#streams.all()
  }

  get(name: string): LiveStream | undefined {
    return this.#streams.use(name)
  }

  /** Says whether {@link request} may find it, because it is there or would be made. */
  mayExist(name: string): boolean {
    return this.#streams.mayExist(name)
  }

  /** Says whether upstream did not know it just now, so that it is not asked for. */
  isAbsent(name: string): boolean {
    return this.#streams.dynamic.isAbsent(name)
  }

  /** Says whether as many streams run as may, so that an idle one stays idle. */
  get isFull(): boolean {
    return this.#limit.isFull
  }

  /**
   * Finds the stream and resolves once it has something to play: an idle one is started for it, one that exists by
   * pattern is made.
   * @throws GatewayError `stream_not_found`, `overloaded` when too many run, or why there is nothing to play
   */
  async request(name: string, signal: AbortSignal, by: string): Promise<LiveStream> {
    // It need not be made only to be refused.
    const isThere = this.#streams.get(name) !== undefined || !this.mayExist(name)
    if (!isThere && !this.#limit.admits()) throw tooMany()
    try {
      return await this.using(
        name,
        async (stream) => {
          if (!this.#mayRun(stream)) throw tooMany()
          await stream.ready(AbortSignal.any([signal, this.#closing.signal]))
          return stream
        },
        by,
      )
    } catch (error) {
      if (this.#closing.signal.aborted && !signal.aborted) throw closing()
      throw error
    }
  }

  /**
   * Does something with a stream, running or not; one that exists by pattern is made.
   * @throws GatewayError `stream_not_found`, and what `work` throws
   */
  using<T>(name: string, work: (stream: LiveStream) => Promise<T>, by: string): Promise<T> {
    return this.#streams.using(name, work, by)
  }

  /** Starts those of these that are idle, side by side, because somebody is about to watch them. */
  interest(names: readonly string[], by: string): void {
    for (const name of names) {
      const stream = this.get(name)
      // Asked for like a viewer would, since only that finds out whether there is such a stream.
      if (stream === undefined) this.request(name, this.#closing.signal, by).catch(() => {})
      else if (this.#mayRun(stream)) stream.start()
    }
  }

  #mayRun({ state, activation }: LiveStream): boolean {
    return state !== 'idle' || activation === 'always' || this.#limit.admits()
  }

  /** Answers those who wait for media, because none will come from here any more. */
  stopWaiting(): void {
    this.#closing.abort()
  }
}

function tooMany(): GatewayError {
  return new GatewayError('overloaded', 'As many streams run as may at a time', {
    retryAfterMs: 5_000,
  })
}

function closing(): GatewayError {
  return new GatewayError('no_media', 'The gateway is stopping.', { retryAfterMs: 1_000 })
}
