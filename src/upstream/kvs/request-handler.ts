import { NodeHttpHandler, type NodeHttpHandlerOptions } from '@smithy/node-http-handler'
import { type Proxies, ProxyChoice } from '../proxies.ts'

/** The backstop behind deadlines on our clock, which does not see sockets. */
const TIMEOUTS = {
  connectionTimeout: 3000,
  requestTimeout: 10_000,
  // Else it only writes a line past our log.
  throwOnRequestTimeout: true,
}

// An import of node:http loads Node's own fetch for the names that it exports: 4 MiB that nobody uses.
const { Agent: HttpAgent } = process.getBuiltinModule('node:http')
const { Agent: HttpsAgent } = process.getBuiltinModule('node:https')

/** Makes how one SDK client sends; each client ends its own. */
export function requestHandler(proxies: Proxies = {}): NodeHttpHandler {
  const choice = new ProxyChoice(proxies)
  if (!choice.hasProxy) return new NodeHttpHandler(TIMEOUTS)
  const [forHttp, forHttps] = [choice.proxyFor('http:'), choice.proxyFor('https:')]
  // Node's own agents go through proxies (since 24.5).
  const options = {
    keepAlive: true,
    maxSockets: 50,
    proxyEnv: { HTTP_PROXY: forHttp, HTTPS_PROXY: forHttps },
  }
  const agents = { httpAgent: new HttpAgent(options), httpsAgent: new HttpsAgent(options) }
  return new ProxiedHandler(choice, agents)
}

type Handled = NodeHttpHandler['handle']

/** Sends through proxies but for what is to be asked directly: Node reads NO_PROXY in another way than we do. */
class ProxiedHandler extends NodeHttpHandler {
  readonly #choice: ProxyChoice
  readonly #direct = new NodeHttpHandler(TIMEOUTS)

  constructor(choice: ProxyChoice, agents: NodeHttpHandlerOptions) {
    super({ ...TIMEOUTS, ...agents })
    this.#choice = choice
  }

  override handle(...[request, options]: Parameters<Handled>): ReturnType<Handled> {
    const { protocol, hostname, port = '' } = request
    const proxy = this.#choice.proxyOf({ protocol, hostname, port: String(port) })
    return proxy === undefined
      ? this.#direct.handle(request, options)
      : super.handle(request, options)
  }

  override destroy(): void {
    super.destroy()
    this.#direct.destroy()
  }
}
