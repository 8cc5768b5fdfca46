import type { IncomingHttpHeaders } from 'node:http'
import type { Dispatcher } from 'undici'

/** What is asked for, and until when. */
export interface UpstreamRequest {
  readonly origin: string
  /** The path and the query. */
  readonly path: string
  readonly method: 'GET'
  readonly headers: Readonly<Record<string, string>>
  readonly signal: AbortSignal
}

/** What upstream answered; its body is on its way, to be read once, soon, or to be let go. */
export interface Answer {
  readonly statusCode: number
  /** Whether it came over HTTP/2, where bodies end with END_STREAM. */
  readonly isHttp2: boolean
  readonly headers: Readonly<IncomingHttpHeaders>
  readonly body: AnswerBody
}

/** A body that arrives. */
export interface AnswerBody extends AsyncIterable<Buffer> {
  /**
   * Hands each chunk to `take` as it comes, and resolves at the end, which costs less than iterating. What `take`
   * throws ends the body.
   */
  read(take: (chunk: Buffer) => void): Promise<void>
  /** Lets go of the connection, unless all has arrived; who reads hears the reason. */
  destroy(reason?: Error): void
}

/** How much may wait for who iterates before the connection is told to pause, in bytes. */
const MAX_WAITING_BYTES = 64 * 1024

/** Sends a request; resolves once the header fields of the answer are here. */
export function send(
  dispatcher: Dispatcher,
  { signal, ...request }: UpstreamRequest,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted()
    dispatcher.dispatch(request, new ArrivingAnswer(signal, resolve, reject))
  })
}

/**
 * One GET on its way through undici. Its own `request()` makes a stream of each body, which costs as much as the
 * request itself; a poll's body is one chunk, most of the time.
 */
class ArrivingAnswer implements Dispatcher.DispatchHandler, AnswerBody {
  readonly #signal: AbortSignal
  readonly #resolve: (answer: Answer) => void
  readonly #reject: (reason: Error) => void
  #controller: Dispatcher.DispatchController | undefined
  #waiting: Buffer[] = []
  #waitingBytes = 0
  #take: ((chunk: Buffer) => void) | undefined
  /** Tells who reads that there is more, or the end. */
  #wake: () => void = () => {}
  #end: { readonly error: Error | undefined } | undefined

  /** @param resolve called once the header fields are here; `reject` when they will not come */
  constructor(
    signal: AbortSignal,
    resolve: (answer: Answer) => void,
    reject: (reason: Error) => void,
  ) {
    this.#signal = signal
    this.#resolve = resolve
    this.#reject = reject
    signal.addEventListener('abort', this.#leave, { once: true })
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#signal.aborted) this.#leave()
  }

  onResponseStart(
    { rawHeaders }: Dispatcher.DispatchController,
    statusCode: number,
    headers: IncomingHttpHeaders,
  ): void {
    // Of HTTP/1.1 undici has a list of names and values. A reason phrase may be missing there, too.
    const isHttp2 = !Array.isArray(rawHeaders)
    if (statusCode >= 200) this.#resolve({ statusCode, isHttp2, headers, body: this })
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#take !== undefined) {
      this.#take(chunk)
      return
    }
    this.#waiting.push(chunk)
    this.#waitingBytes += chunk.length
    if (this.#waitingBytes >= MAX_WAITING_BYTES) controller.pause()
    this.#wake()
  }

  onResponseEnd(): void {
    this.#finish(undefined)
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, error: Error): void {
    this.#finish(error)
    this.#reject(error)
  }

  async read(take: (chunk: Buffer) => void): Promise<void> {
    try {
      for (const chunk of this.#waiting.splice(0)) take(chunk)
    } catch (error) {
      this.destroy(error as Error)
      throw error
    }
    this.#take = take
    if (this.#end === undefined) {
      const ended = this.#woken()
      if (this.#controller?.paused === true) this.#controller.resume()
      await ended
    }
    if (this.#end?.error !== undefined) throw this.#end.error
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer, void> {
    try {
      for (;;) {
        const chunk = this.#waiting.shift()
        if (chunk !== undefined) {
          this.#waitingBytes -= chunk.length
          yield chunk
        } else if (this.#end === undefined) {
          const woken = this.#woken()
          if (this.#controller?.paused === true) this.#controller.resume()
          await woken
        } else if (this.#end.error === undefined) return
        else throw this.#end.error
      }
    } finally {
      this.destroy()
    }
  }

  destroy(reason: Error = new Error('nobody reads it')): void {
    if (this.#end === undefined) this.#controller?.abort(reason)
  }

  readonly #leave = (): void => this.destroy(this.#signal.reason as Error)

  #woken(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#wake = resolve
    return promise
  }

  #finish(error: Error | undefined): void {
    this.#signal.removeEventListener('abort', this.#leave)
    this.#end ??= { error }
    this.#wake()
  }
}
