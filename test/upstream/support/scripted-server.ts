import { createServer, type Server, type Socket } from 'node:net'

/** What the server does with one request: writes raw bytes, and may break off as it likes. */
export type Script = (socket: Socket, request: string) => void

export interface ScriptedServer {
  readonly url: URL
  /** Heads of the requests received, in order. */
  readonly requests: readonly string[]
  /** What the next requests get, one after the other; the last one is repeated. */
  play(...scripts: readonly Script[]): void
  close(): Promise<void>
}

/** A server that says exactly the bytes that a test wants on the wire, valid HTTP or not. */
export async function startScriptedServer(): Promise<ScriptedServer> {
  const sockets = new Set<Socket>()
  const requests: string[] = []
  let scripts: readonly Script[] = []
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
    socket.on('data', (data) => {
      requests.push(data.toString())
      const [script, ...rest] = scripts
      if (rest.length > 0) scripts = rest
      script?.(socket, data.toString())
    })
  })
  await listening(server)
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return {
    url: new URL(`http://127.0.0.1:${address.port}`),
    requests,
    play(...next) {
      scripts = next
    },
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy()
        server.close(() => resolve())
      }),
  }
}

function listening(server: Server): Promise<void> {
  return new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
}

/** A plain answer with its length. */
export function answer(status: string, body = '', headers: readonly string[] = []): Script {
  return raw(
    [`HTTP/1.1 ${status}`, `content-length: ${Buffer.byteLength(body)}`, ...headers, '', body].join(
      '\r\n',
    ),
  )
}

/** These bytes and nothing more; the connection stays open. */
export function raw(text: string): Script {
  return (socket) => socket.write(text)
}

/** These bytes, then the end of the connection. */
export function cut(text: string): Script {
  return (socket) => socket.end(text)
}

/** These bytes, then a reset. */
export function reset(text = ''): Script {
  return (socket) => {
    if (text === '') socket.resetAndDestroy()
    else socket.write(text, () => socket.resetAndDestroy())
  }
}
