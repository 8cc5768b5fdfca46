import type { LookupFunction } from 'node:net'
import type { Dispatcher } from 'undici'
import { type Answer, send, type UpstreamRequest } from './arriving-answer.ts'
import type { Proxies } from './proxies.ts'

/**
 * Keeps sockets to upstream, for all streams of a gateway. undici is loaded at the first request, because a start need not
 * wait for it.
 */
export class UpstreamAgent {
  readonly #proxies: Proxies
  readonly #lookup: LookupFunction | undefined
  #agent: Promise<Dispatcher> | undefined

  /**
   * @param lookup finds the addresses of names; default: all that there are. Where a proxy is asked, it looks itself
   */
  constructor(proxies: Proxies = {}, lookup?: LookupFunction) {
    this.#proxies = proxies
    this.#lookup = lookup
  }

  /** Resolves once the header fields of the answer are here. */
  async request(request: UpstreamRequest): Promise<Answer> {
    return send(await this.load(), request)
  }

  load(): Promise<Dispatcher> {
    this.#agent ??= createAgent(this.#proxies, this.#lookup)
    return this.#agent
  }

  /** Ends what is under way. */
  async destroy(): Promise<void> {
    await (await this.#agent)?.destroy()
  }
}

/** Creates the agent. Its time-outs are a backstop, because the deadlines that matter run on the gateway's clock. */
async function createAgent(
  { http, https, none }: Proxies,
  lookup: LookupFunction | undefined,
): Promise<Dispatcher> {
  const undici = await import('undici')
  const options = {
    connect: { timeout: 5000 },
    headersTimeout: 15_000,
    bodyTimeout: 15_000,
    // Cells are shared by many streams, each asking about once a second: keep their sockets.
    connections: 256,
    keepAliveTimeout: 20_000,
    pipelining: 1,
    maxHeaderSize: 16 * 1024,
  }
  if (http === undefined && https === undefined) {
    const found = lookup === undefined ? {} : { lookup }
    return new undici.Agent({ ...options, connect: { ...options.connect, ...found } })
  }
  return new undici.EnvHttpProxyAgent({
    ...options,
    // Empty, not undefined: it would look into the environment by itself.
    httpProxy: http ?? '',
    httpsProxy: https ?? '',
    noProxy: none ?? '',
  })
}
