import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import type { Writable } from 'node:stream'
import type { Clock } from '../base/clock.ts'
import { breakOff, http2StreamOf } from './over-http2.ts'

/**
 * How much of a body an HTTP/2 stream is given at a time: its connection has others, and all that is under way counts
 * as memory of its session.
 */
export const PIECE = 128 * 1024

/**
 * Breaks an HTTP/2 answer off that its client leaves lying, because a connection that goes on for others never times
 * out. A piece has to leave in the time in which an HTTP/1 connection has to move a byte: of less Node does not tell.
 */
export class Pace {
  readonly #clock: Pick<Clock, 'alarm'>
  readonly #stallTimeoutMs: number

  constructor(clock: Pick<Clock, 'alarm'>, stallTimeoutMs: number) {
    this.#clock = clock
    this.#stallTimeoutMs = stallTimeoutMs
  }

  /** Limits how long the rest of an answer may take, all of which has been written. */
  limit(response: ServerResponse, to: Writable): void {
    if (to.writableLength > 0) http2StreamOf(response)?.once('close', this.#alarm(response, to))
  }

  /** Waits until there is room for more. */
  async room(response: ServerResponse, to: Writable, signal: AbortSignal): Promise<void> {
    const cancel = this.#alarm(response, to)
    try {
      await once(to, 'drain', { signal })
    } finally {
      cancel()
    }
  }

  #alarm(response: ServerResponse, { writableLength }: Writable): () => void {
    if (http2StreamOf(response) === undefined) return () => {}
    const pieces = Math.ceil(writableLength / PIECE)
    return this.#clock.alarm(this.#stallTimeoutMs * pieces, () => breakOff(response))
  }
}
