import type { Server, ServerOptions } from 'node:http'
import type { Http2Session } from 'node:http2'
import type { Socket } from 'node:net'
import { isKeptWaiting } from './keep-open.ts'

/** A certificate and its key, in PEM. */
export interface KeyPair {
  readonly cert: Buffer
  readonly key: Buffer
}

type Handler = ConstructorParameters<typeof Server>[1]

/** How long a client may take for the handshake. */
const HANDSHAKE_MS = 10_000

/** Bounds what one connection may ask for at a time, and what we keep for it. */
const BOUNDS = {
  settings: { maxConcurrentStreams: 128, maxHeaderListSize: 16 * 1024, enablePush: false },
  // MiB, and what is being sent counts: more than 128 streams of the pieces in which we send.
  maxSessionMemory: 32,
  maxOutstandingPings: 10,
  maxOutstandingSettings: 10,
  maxSessionInvalidFrames: 100,
  maxSessionRejectedStreams: 100,
}

/**
 * Makes a server of https: HTTP/2 and HTTP/1.1 by ALPN, TLS 1.2 and up.
 * @param stallTimeoutMs how long a connection may move no byte
 * @param http1 how HTTP/1.1 is spoken
 */
export function createSecureServer(
  pair: KeyPair,
  stallTimeoutMs: number,
  http1: ServerOptions,
  handler: Handler,
): Server {
  const server = process.getBuiltinModule('node:http2').createSecureServer({
    ...pair,
    ...BOUNDS,
    allowHTTP1: true,
    http1Options: http1,
    minVersion: 'TLSv1.2',
    handshakeTimeout: HANDSHAKE_MS,
  })
  const sockets = new Set<Socket>()
  server.on('secureConnection', (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  server.on('timeout', (stalled: Socket | Http2Session) => {
    if ('goaway' in stalled && isKeptWaiting(stalled)) stalled.setTimeout(stallTimeoutMs)
    else stalled.destroy()
  })
  const whole = Object.assign(server, {
    closeAllConnections: () => {
      for (const socket of sockets) socket.destroy()
    },
  })
  // It is a server of Node's compatibility API: requests and responses of HTTP/2 look like those of HTTP/1.1.
  const asServer = whole as unknown as Server
  if (handler !== undefined) asServer.on('request', handler)
  return asServer
}
