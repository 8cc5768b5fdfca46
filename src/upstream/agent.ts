import { Agent } from 'undici'

/**
 * Sockets to upstream, for all streams of a gateway. Time-outs here are a backstop: the deadlines that
 * matter run on the gateway's clock, in session-http.ts.
 */
export function createUpstreamAgent(): Agent {
  return new Agent({
    connect: { timeout: 5000 },
    headersTimeout: 15_000,
    bodyTimeout: 15_000,
    // Cells are shared by many streams, each asking about once a second: keep their sockets.
    connections: 256,
    keepAliveTimeout: 20_000,
    pipelining: 1,
    maxHeaderSize: 16 * 1024,
  })
}
