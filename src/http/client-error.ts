import type { Socket } from 'node:net'
import type { Clock } from '../base/clock.ts'
import type { ProblemHeaders } from './error-handler.ts'
import { type Headers, NO_STORE, PROBLEM_TYPE } from './headers.ts'
import { HttpError, problemAnswer } from './problem.ts'

// An import of node:http would load all that it offers, Node's own undici with it.
const { STATUS_CODES } = process.getBuiltinModule('node:http')

/** The parser failures that have a status of their own; everything else is 400. */
const STATUS: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
}

/** How long a client may take to read why it is refused, and to close: it would be told nothing if we reset. */
const LINGER_MS = 1000

/**
 * Answers what never became a request: there is no response object yet, only the socket. It writes a problem document
 * and closes, whether the client does or not, because nothing can be trusted to follow on this connection.
 */
export function clientErrorHandler(
  clock: Clock,
  requestId: () => string,
  problemHeaders: ProblemHeaders,
): (error: NodeJS.ErrnoException, socket: Socket) => void {
  const refused = new WeakSet<Socket>()
  return (error, socket) => {
    // The rest of a long head: to cut now would lose the answer that it is about to read.
    if (refused.has(socket)) return
    if (error.code === 'ECONNRESET' || !socket.writable || owesAnswer(socket)) {
      socket.destroy()
      return
    }
    refused.add(socket)
    const date = new Date(clock.date()).toUTCString()
    const shared = { ...problemHeaders(undefined), Connection: 'close', Date: date }
    socket.end(rawProblem(STATUS[error.code ?? ''] ?? 400, requestId(), shared))
    socket.resume()
    const cancel = clock.alarm(LINGER_MS, () => socket.destroy())
    socket.once('close', cancel)
  }
}

/**
 * Says whether an earlier request on this connection waits for its answer or for the rest of it: ours would be taken for
 * that, or corrupt it. Node tells who writes next in this field only; its own handler reads it as well.
 */
function owesAnswer(socket: Socket): boolean {
  return socket.writableLength > 0 || ('_httpMessage' in socket && socket._httpMessage !== null)
}

function rawProblem(status: number, requestId: string, shared: Headers): string {
  const refusal = new HttpError('bad_request', 'The request could not be understood', {
    httpStatus: status,
    headers: NO_STORE,
  })
  const { headers, body } = problemAnswer(refusal, requestId)
  const lines = Object.entries({
    ...shared,
    ...headers,
    'Content-Type': PROBLEM_TYPE,
    'Content-Length': String(Buffer.byteLength(body)),
    'X-Request-Id': requestId,
  }).map(([name, value]) => `${name}: ${value}`)
  return `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('\r\n')}\r\n\r\n${body}`
}
