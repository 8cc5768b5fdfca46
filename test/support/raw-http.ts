import { once } from 'node:events'
import http, { type IncomingHttpHeaders } from 'node:http'
import { connect, type Socket } from 'node:net'

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

/** Asks without fetch's help: no decompression, no Accept-Encoding, no cache, and any method or header. */
export async function ask(
  url: string,
  { method = 'GET', headers = {} }: { method?: string; headers?: Record<string, string> } = {},
): Promise<Answer> {
  const request = http.request(url, { method, headers, agent: false })
  request.end()
  const response = await new Promise<http.IncomingMessage>((resolve, reject) => {
    request.once('response', resolve).once('error', reject)
  })
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(Buffer.from(chunk as Uint8Array))
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    body: Buffer.concat(chunks),
  }
}

/** A connection under a test's own control. Reads nothing until it is told to. */
export async function rawConnection(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1' })
  socket.pause()
  // A server that cuts us is what some tests are about.
  socket.on('error', () => {})
  await once(socket, 'connect')
  return socket
}

/** Sends text as it is, and returns all that comes back until the server closes. */
export async function sendRaw(port: number, text: string): Promise<string> {
  const socket = await rawConnection(port)
  socket.write(text)
  let answer = ''
  for await (const chunk of socket) answer += String(chunk)
  return answer
}
