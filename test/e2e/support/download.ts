import http, { type IncomingHttpHeaders } from 'node:http'

/** An answer that is watched while it arrives. */
export interface Download {
  readonly headers: IncomingHttpHeaders
  /** Bytes of the body so far. */
  readonly received: number
  readonly body: Buffer
  readonly over: boolean
  /** Rejects when the connection breaks before the whole body is here. */
  readonly ended: Promise<void>
  /** Closes the connection, as a viewer does who switches over. */
  leave(): void
}

/** Asks at once, on a connection of its own. */
export function download(url: string): Download {
  return new RunningDownload(url)
}

class RunningDownload implements Download {
  readonly ended: Promise<void>
  readonly #request: http.ClientRequest
  readonly #chunks: Buffer[] = []
  headers: IncomingHttpHeaders = {}
  received = 0
  over = false

  constructor(url: string) {
    this.#request = http.get(url, { agent: false })
    this.ended = this.#receive().finally(() => {
      this.over = true
    })
    // Whoever left does not wait for the end.
    this.ended.catch(() => {})
  }

  get body(): Buffer {
    return Buffer.concat(this.#chunks)
  }

  leave(): void {
    this.#request.destroy()
  }

  async #receive(): Promise<void> {
    const response = await new Promise<http.IncomingMessage>((resolve, reject) => {
      this.#request.once('response', resolve).once('error', reject)
    })
    this.headers = response.headers
    for await (const chunk of response) {
      const bytes = Buffer.from(chunk as Uint8Array)
      this.#chunks.push(bytes)
      this.received += bytes.length
    }
  }
}
