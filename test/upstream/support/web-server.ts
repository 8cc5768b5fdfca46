import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Asked {
  readonly path: string
  readonly headers: IncomingHttpHeaders
}

export type Reply = string | Buffer | ((response: ServerResponse, asked: Asked) => void)

/** A server that answers each path as a test says; 404 where it says nothing. */
export interface WebServer extends AsyncDisposable {
  readonly url: string
  /** By path with query. */
  readonly replies: Record<string, Reply>
  readonly asked: readonly Asked[]
}

export async function startWebServer(): Promise<WebServer> {
  const asked: Asked[] = []
  const replies: Record<string, Reply> = {}
  const server = createServer(({ url = '', headers }, response) => {
    asked.push({ path: url, headers })
    const reply = replies[url]
    if (reply === undefined) response.writeHead(404).end('<html>')
    else if (typeof reply === 'function') reply(response, { path: url, headers })
    else response.writeHead(200, { 'content-length': Buffer.byteLength(reply) }).end(reply)
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    replies,
    asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise<void>((resolve) => {
        server.close(() => resolve())
      })
    },
  }
}

export const status =
  (code: number, headers: Readonly<Record<string, string>> = {}, body = ''): Reply =>
  (response) => {
    response.writeHead(code, { 'content-length': Buffer.byteLength(body), ...headers }).end(body)
  }
