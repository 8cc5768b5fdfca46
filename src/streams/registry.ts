import { GatewayError } from '../base/errors.ts'
import type { LiveStream } from './live-stream.ts'
import type { StreamSet } from './stream-set.ts'

/**
 * Finds streams by public name, as viewers ask for them. A name that neither is configured nor matches a pattern leaves
 * no trace: nothing is made, counted or asked for it (G17).
 */
export class Registry {
  readonly #streams: StreamSet
  readonly #closing = new AbortController()

  constructor(streams: StreamSet) {
    this.#streams = streams
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

  /**
   * Finds the stream and resolves once it has something to play: an idle one is started for it, one that exists by
   * pattern is made.
   * @throws GatewayError `stream_not_found`, or why there is nothing to play
   */
  async request(name: string, signal: AbortSignal): Promise<LiveStream> {
    try {
      return await this.using(name, async (stream) => {
        await stream.ready(AbortSignal.any([signal, this.#closing.signal]))
        return stream
      })
    } catch (error) {
      if (this.#closing.signal.aborted && !signal.aborted) throw closing()
      throw error
    }
  }

  /**
   * Does something with a stream, running or not; one that exists by pattern is made.
   * @throws GatewayError `stream_not_found`, and what `work` throws
   */
  using<T>(name: string, work: (stream: LiveStream) => Promise<T>): Promise<T> {
    return this.#streams.using(name, work)
  }

  /** Starts those of these that are idle, side by side, because somebody is about to watch them. */
  interest(names: readonly string[]): void {
    for (const name of names) {
      const stream = this.get(name)
      if (stream !== undefined) stream.start()
      // Asked for like a viewer would, since only that finds out whether there is such a stream.
      else this.request(name, this.#closing.signal).catch(() => {})
    }
  }

  /** Answers those who wait for media, because none will come from here any more. */
  stopWaiting(): void {
    this.#closing.abort()
  }
}

function closing(): GatewayError {
  return new GatewayError('no_media', 'The gateway is stopping.', { retryAfterMs: 1_000 })
}
