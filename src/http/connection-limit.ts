import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'
import type { Log } from '../base/log.ts'
import type { Cell } from '../metrics/counter.ts'
import { type Headers, NO_STORE } from './headers.ts'
import { http2StreamOf } from './over-http2.ts'
import { HttpError } from './problem.ts'

export interface ConnectionLimitOptions {
  /** How many connections there may be at a time. */
  readonly most: () => number
  readonly log: Log
  /** How many there are now. */
  readonly open: Cell
  /** How many were refused. */
  readonly refused: Cell
}

/** How many more are let in, to be told why they may not stay. Beyond that nobody is told. */
const TOLD = 16
/** How far connections must fall, as a share of the most, before the log says it again. */
const RELIEF = 0.9

/**
 * Bounds the connections of a listener, because each takes a file descriptor, which the sources, the disk and the admin
 * listener need as well. Who comes beyond gets 503 and `Connection: close`, and may come again soon.
 */
export function limitConnections(
  app: FastifyInstance,
  { most, log, open, refused }: ConnectionLimitOptions,
): void {
  const beyond = new Set<string>()
  let full = false
  const refuse = (): void => {
    refused.value += 1
    if (full) return
    full = true
    log.warn('connections refused', { connections: most() })
  }
  app.server.maxConnections = most() + TOLD
  app.server.on('drop', refuse)
  app.server.on('connection', (socket: Socket) => {
    open.value += 1
    app.server.maxConnections = most() + TOLD
    const name = nameOf(socket)
    socket.once('close', () => {
      open.value -= 1
      beyond.delete(name)
      if (open.value < most() * RELIEF) full = false
    })
    if (open.value <= most()) return
    beyond.add(name)
    refuse()
  })
  app.addHook('onRequest', ({ raw }, _reply, done) => {
    const isBeyond = beyond.size > 0 && beyond.has(nameOf(raw.socket))
    if (!isBeyond) {
      done()
      return
    }
    const session = http2StreamOf(raw)?.session
    session?.close()
    done(tooMany(session === undefined ? { Connection: 'close' } : {}))
  })
}

/** Names a connection by its other end, because behind TLS it is not the same object any more. */
function nameOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`
}

function tooMany(headers: Headers): HttpError {
  return new HttpError('overloaded', 'There are too many connections', {
    retryAfterMs: 2000,
    headers: { ...NO_STORE, ...headers },
  })
}
