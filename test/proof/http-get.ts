import type { IncomingHttpHeaders } from 'node:http'
import type { Dispatcher } from 'undici'

/** What a server answered, whatever the status. */
export interface Answer {
  readonly status: number
  /** Names in lower case; a repeated header is joined by a comma and a space. */
  readonly headers: Readonly<Record<string, string>>
  /** Bytes of the body as they came over the wire. */
  readonly length: number
  /** Empty unless `keep` was asked for. */
  readonly body: Buffer
  /** From asking to the last byte, in milliseconds. */
  readonly tookMs: number
}

export interface GetOptions {
  readonly method?: 'GET' | 'HEAD'
  readonly headers?: Readonly<Record<string, string>>
  /** Keep the body. Hundreds of viewers in one process only count it. */
  readonly keep?: boolean
  readonly signal: AbortSignal
  /** Longest wait for the whole answer, in milliseconds of real time. Default 15 s. */
  readonly deadlineMs?: number
}

const DEADLINE_MS = 15_000

/**
 * One request, straight through undici's dispatcher: no decompression, no redirects, no stream objects,
 * so that what is judged is what came, and a viewer costs little.
 *
 * Rejects when the connection fails, the body is shorter or longer than its Content-Length (undici checks
 * that), the deadline passes or the signal aborts.
 */
export function httpGet(dispatcher: Dispatcher, url: URL, options: GetOptions): Promise<Answer> {
  const { method = 'GET', headers = {} } = options
  return new Promise((resolve, reject) => {
    const exchange = new Exchange(options, resolve, reject)
    if (exchange.over) return
    const { origin, pathname, search } = url
    dispatcher.dispatch({ origin, path: pathname + search, method, headers }, exchange)
  })
}

class Exchange implements Dispatcher.DispatchHandler {
  readonly #startedAt = performance.now()
  readonly #chunks: Buffer[] = []
  readonly #options: GetOptions
  readonly #resolve: (answer: Answer) => void
  readonly #reject: (reason: Error) => void
  readonly #timer: NodeJS.Timeout
  #controller: Dispatcher.DispatchController | undefined
  #head: Pick<Answer, 'status' | 'headers'> = { status: 0, headers: {} }
  #length = 0
  over = false

  constructor(
    options: GetOptions,
    resolve: (answer: Answer) => void,
    reject: (reason: Error) => void,
  ) {
    this.#options = options
    this.#resolve = resolve
    this.#reject = reject
    const { deadlineMs = DEADLINE_MS, signal } = options
    this.#timer = setTimeout(this.#expire, deadlineMs)
    signal.addEventListener('abort', this.#leave, { once: true })
    if (signal.aborted) this.#leave()
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.over) controller.abort(new Error('given up while queued'))
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: IncomingHttpHeaders,
  ): void {
    this.#head = { status, headers: joined(headers) }
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#length += chunk.length
    if (this.#options.keep === true) this.#chunks.push(chunk)
  }

  onResponseEnd(): void {
    this.#finish()
    const tookMs = performance.now() - this.#startedAt
    const body = Buffer.concat(this.#chunks)
    this.#resolve({ ...this.#head, length: this.#length, body, tookMs })
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#fail(error)
  }

  readonly #leave = (): void => this.#fail(this.#options.signal.reason as Error)

  readonly #expire = (): void => {
    this.#fail(new Error(`no whole answer within ${this.#options.deadlineMs ?? DEADLINE_MS} ms`))
  }

  #fail(reason: Error): void {
    if (this.over) return
    this.#finish()
    this.#reject(reason)
    this.#controller?.abort(reason)
  }

  #finish(): void {
    this.over = true
    clearTimeout(this.#timer)
    this.#options.signal.removeEventListener('abort', this.#leave)
  }
}

function joined(raw: IncomingHttpHeaders): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(raw)) {
    if (value !== undefined) headers[name.toLowerCase()] = [value].flat().join(', ')
  }
  return headers
}
