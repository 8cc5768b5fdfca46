import { createHmac, timingSafeEqual } from 'node:crypto'
import http, { type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type GatewayEvent, gatewayEvent } from '../../src/events/gateway-event.ts'

export interface ReceivedPost {
  readonly url: string | undefined
  readonly headers: http.IncomingHttpHeaders
  readonly body: Buffer
}

export type Answerer = (response: ServerResponse) => void

export const taken: Answerer = (response) => response.writeHead(204).end()

/** A receiver of events as somebody would write it: at a port that it keeps, in whatever mood. */
export class EventReceiver {
  readonly received: ReceivedPost[] = []
  answer: Answerer = taken
  #server: http.Server | undefined
  #port = 0

  async start(): Promise<void> {
    const server = http.createServer((request, response) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        const { url, headers } = request
        this.received.push({ url, headers, body: Buffer.concat(chunks) })
        this.answer(response)
      })
    })
    await new Promise<void>((resolve) => server.listen(this.#port, '127.0.0.1', resolve))
    this.#port = (server.address() as AddressInfo).port
    this.#server = server
  }

  async die(): Promise<void> {
    const server = this.#server
    await new Promise((resolve) => {
      server?.close(resolve)
      server?.closeAllConnections()
    })
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}/hook?team=a%20b`
  }

  get events(): readonly GatewayEvent[] {
    return this.received.map(({ body }) => gatewayEvent.parse(JSON.parse(body.toString())))
  }

  /** Says whether a POST is what it claims, as the README has receivers do it. */
  isGenuine({ headers, body }: ReceivedPost, secret: string): boolean {
    const expected = `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`
    const shown = headers['x-kvs-gateway-signature']
    const [a, b] = [Buffer.from(String(shown)), Buffer.from(expected)]
    return a.length === b.length && timingSafeEqual(a, b)
  }
}
