import type { Agent, Dispatcher } from 'undici'

/**
 * Keeps sockets to upstream, for all streams of a gateway. undici is loaded at the first request, because a start need not
 * wait for it.
 */
export class UpstreamAgent {
  #agent: Promise<Agent> | undefined

  /** Resolves once the header fields of the answer are here. */
  async request(options: Dispatcher.RequestOptions<null>): Promise<Dispatcher.ResponseData<null>> {
    return (await this.load()).request(options)
  }

  load(): Promise<Agent> {
    this.#agent ??= createAgent()
    return this.#agent
  }

  /** Ends what is under way. */
  async destroy(): Promise<void> {
    await (await this.#agent)?.destroy()
  }
}

/** Time-outs here are a backstop: the deadlines that matter run on the gateway's clock. */
async function createAgent(): Promise<Agent> {
  const undici = await import('undici')
  return new undici.Agent({
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
