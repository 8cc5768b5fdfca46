import { createServer, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http'

export interface Reply {
  readonly status?: number
  readonly headers?: OutgoingHttpHeaders
  /** An object is sent as JSON; undefined: no answer at all. */
  readonly body?: unknown
}

export interface StubCall {
  readonly path: string
  readonly headers: IncomingMessage['headers']
  readonly body: unknown
}

export interface KvsStub {
  readonly url: string
  readonly calls: StubCall[]
  /** Replies by path, one after the other; the last one is repeated. */
  readonly replies: Record<string, readonly (Reply | 'hang' | 'reset')[]>
  close(): Promise<void>
}

/** Answers as told, for the answers that no emulator would give. */
export async function startKvsStub(): Promise<KvsStub> {
  const calls: StubCall[] = []
  const replies: KvsStub['replies'] = {}
  const server = createServer((request, response) => {
    let text = ''
    request.setEncoding('utf8')
    request.on('data', (chunk: string) => {
      text += chunk
    })
    request.on('end', () => {
      const path = request.url ?? ''
      calls.push({
        path,
        headers: request.headers,
        body: text === '' ? undefined : JSON.parse(text),
      })
      const [reply, ...rest] = replies[path] ?? []
      if (rest.length > 0) replies[path] = rest
      if (reply === 'hang') return
      if (reply === 'reset') request.socket.resetAndDestroy()
      else response.writeHead(reply?.status ?? 200, reply?.headers).end(serialize(reply?.body))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return {
    url: `http://127.0.0.1:${address.port}`,
    calls,
    replies,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function serialize(body: unknown): string {
  return typeof body === 'string' ? body : JSON.stringify(body ?? {})
}
