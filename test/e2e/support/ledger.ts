import { once } from 'node:events'
import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** One answer of the gateway, whole. */
export interface Entry {
  readonly url: string
  readonly range: string
  readonly status: number
  readonly etag: string
  readonly bytes: number
  readonly cacheStatus: string
  /** When it was asked for and when it was whole, by `performance.now()`. */
  readonly fromMs: number
  readonly toMs: number
}

/**
 * Stands between a cache and the gateway, and writes down all that passes. While the gateway is away it closes
 * connections, as a machine without the gateway would.
 */
export class Ledger {
  readonly entries: Entry[] = []
  /** Requests that are being answered now. */
  open = 0
  readonly #agent = new Agent({ keepAlive: true })
  readonly #server = createServer((asked, answer) => void this.#pass(asked, answer))
  readonly #gatewayPort: number

  constructor(gatewayPort: number) {
    this.#gatewayPort = gatewayPort
  }

  /** Listens, and returns the port. */
  async listen(): Promise<number> {
    // As the gateway, it is never the first to close.
    this.#server.keepAliveTimeout = 75_000
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    return (this.#server.address() as AddressInfo).port
  }

  close(): void {
    this.#server.closeAllConnections()
    this.#server.close()
    this.#agent.destroy()
  }

  async #pass(asked: IncomingMessage, answer: ServerResponse): Promise<void> {
    const fromMs = performance.now()
    this.open += 1
    try {
      const { url = '', method, headers } = asked
      const forwarded = request({
        agent: this.#agent,
        host: '127.0.0.1',
        port: this.#gatewayPort,
        path: url,
        method,
        headers,
      }).end()
      const [from] = (await once(forwarded, 'response')) as [IncomingMessage]
      answer.writeHead(from.statusCode ?? 0, from.headers)
      let bytes = 0
      for await (const chunk of from as AsyncIterable<Buffer>) {
        bytes += chunk.length
        answer.write(chunk)
      }
      answer.end()
      const { etag = '', 'cache-status': status } = from.headers
      this.entries.push({
        url,
        range: headers.range ?? '',
        status: from.statusCode ?? 0,
        etag,
        bytes,
        cacheStatus: String(status ?? ''),
        fromMs,
        toMs: performance.now(),
      })
    } catch {
      asked.socket.destroy()
    } finally {
      this.open -= 1
    }
  }
}
