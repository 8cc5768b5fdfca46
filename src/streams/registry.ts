import { GatewayError } from '../base/errors.ts'
import type { LiveStream } from './live-stream.ts'
import type { Stream } from './stream.ts'
import type { Viewer } from './viewers.ts'

/**
 * The configured streams by public name. A name that is not configured leaves no trace: nothing is
 * made, counted or asked for it (G17).
 */
export class Registry {
  readonly #streams: ReadonlyMap<string, LiveStream>
  readonly #closing = new AbortController()

  constructor(streams: readonly LiveStream[]) {
    this.#streams = new Map(streams.map((stream) => [stream.name, stream]))
  }

  names(): readonly string[] {
    return [...this.#streams.keys()]
  }

  all(): Iterable<LiveStream> {
    return this.#streams.values()
  }

  get(name: string): LiveStream | undefined {
    return this.#streams.get(name)
  }

  /**
   * The stream, once it has something to play: an idle one is started for it.
   * @throws GatewayError `stream_not_found`, or why there is nothing to play
   */
  async request(name: string, signal: AbortSignal): Promise<LiveStream> {
    const stream = this.#streams.get(name)
    if (stream === undefined) {
      throw new GatewayError('stream_not_found', 'No stream of this name is configured.')
    }
    try {
      await stream.ready(AbortSignal.any([signal, this.#closing.signal]))
    } catch (error) {
      if (this.#closing.signal.aborted && !signal.aborted) throw closing()
      throw error
    }
    return stream
  }

  /** Somebody asked for something of a stream; with a connection, for a media playlist. */
  touch({ name }: Stream, viewer?: Viewer): void {
    this.#streams.get(name)?.touch(viewer)
  }

  /** Somebody is about to watch these: those that are idle start now, side by side. */
  interest(names: readonly string[]): void {
    for (const name of names) this.#streams.get(name)?.start()
  }

  /** Answers those who wait for media: none will come from here any more. */
  stopWaiting(): void {
    this.#closing.abort()
  }

  /** Stops all streams. Resolves when nothing runs any more. */
  async close(): Promise<void> {
    for (const { archives } of this.#streams.values()) archives?.close()
    await Promise.all([...this.#streams.values()].map((stream) => stream.stop()))
  }
}

function closing(): GatewayError {
  return new GatewayError('no_media', 'The gateway is stopping.', { retryAfterMs: 1_000 })
}
