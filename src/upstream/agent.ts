import type { LookupFunction } from 'node:net'
import type { Dispatcher } from 'undici'
import { type Answer, send, type UpstreamRequest } from './arriving-answer.ts'
import { MAX_HEAD_BYTES } from './errors.ts'
import { type Proxies, ProxyChoice } from './proxies.ts'

/**
 * Keeps sockets to upstream, for all streams of a gateway. undici is loaded at the first request, because a start need not
 * wait for it.
 */
export class UpstreamAgent {
  readonly #choice: ProxyChoice
  readonly #lookup: LookupFunction | undefined
  /** By the proxy's URL; undefined: who asks directly. */
  readonly #agents = new Map<string | undefined, Promise<Dispatcher>>()

  /**
   * @param lookup finds the addresses of names; default: all that there are. Where a proxy is asked, it looks itself
   */
  constructor(proxies: Proxies = {}, lookup?: LookupFunction) {
    this.#choice = new ProxyChoice(proxies)
    this.#lookup = lookup
  }

  /** Resolves once the header fields of the answer are here. */
  async request(request: UpstreamRequest): Promise<Answer> {
    return send(await this.load(request.origin), request)
  }

  /** Returns who asks that origin. */
  load(origin: string): Promise<Dispatcher> {
    // Each request comes by here, and nearly nowhere is there a proxy.
    const proxy = this.#choice.hasProxy ? this.#choice.proxyOf(new URL(origin)) : undefined
    const known = this.#agents.get(proxy)
    if (known !== undefined) return known
    const agent = createAgent(proxy, this.#lookup)
    this.#agents.set(proxy, agent)
    return agent
  }

  /** Ends what is under way. */
  async destroy(): Promise<void> {
    await Promise.all([...this.#agents.values()].map(async (agent) => (await agent).destroy()))
  }
}

/** Creates an agent. Its time-outs are a backstop, because the deadlines that matter run on the gateway's clock. */
async function createAgent(
  proxy: string | undefined,
  lookup: LookupFunction | undefined,
): Promise<Dispatcher> {
  const undici = await import('undici')
  const timeout = 5000
  const options = {
    headersTimeout: 15_000,
    bodyTimeout: 15_000,
    // Cells are shared by many streams, each asking about once a second: keep their sockets.
    connections: 256,
    keepAliveTimeout: 20_000,
    pipelining: 1,
    maxHeaderSize: MAX_HEAD_BYTES,
  }
  if (proxy === undefined) {
    const found = lookup === undefined ? {} : { lookup }
    return new undici.Agent({ ...options, connect: { timeout, ...found } })
  }
  return new undici.ProxyAgent({
    ...options,
    uri: proxy,
    connectTimeout: timeout,
    // Who asks for whole URLs is not told the options.
    factory: (origin, more) => new undici.Pool(origin, Object.assign({}, options, more)),
  })
}
