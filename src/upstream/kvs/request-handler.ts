import type { ClientRequest } from 'node:http'
import { z } from 'zod'
import { MAX_HEAD_BYTES } from '../errors.ts'
import { type Proxies, ProxyChoice } from '../proxies.ts'

declare module 'node:http' {
  // What agents are called with, which libraries of agents build upon; Node’s types leave it out.
  interface Agent {
    addRequest(request: ClientRequest, ...more: readonly unknown[]): void
  }
  interface ClientRequest {
    maxHeaderSize?: number | undefined
  }
}

/** The backstop behind deadlines on our clock, which does not see sockets. */
const TIMEOUTS = { connectionTimeout: 3000, requestTimeout: 10_000 }
const SOCKETS = { keepAlive: true, maxSockets: 50 }

// An import of node:http loads Node's own fetch for the names that it exports: 4 MiB that nobody uses.
const { Agent: HttpAgent } = process.getBuiltinModule('node:http')
const { Agent: HttpsAgent } = process.getBuiltinModule('node:https')

/** Makes how one SDK client sends. Node's own agents go through proxies (since 24.5); each client ends its own. */
export function requestHandler(proxies: Proxies = {}) {
  const choice = new ProxyChoice(proxies)
  return {
    ...TIMEOUTS,
    httpAgent: withChoice(choice, 'http:', (through) => new HttpAgent({ ...SOCKETS, ...through })),
    httpsAgent: withChoice(
      choice,
      'https:',
      (through) => new HttpsAgent({ ...SOCKETS, ...through }),
    ),
  }
}

const targetSchema = z.object({
  host: z.string(),
  port: z.union([z.number(), z.string()]).catch(''),
})

/**
 * Has an agent choose the proxy of each request as we do, and take heads of answers as long as undici does: the SDK has no
 * setting for either, nor have agents.
 */
function withChoice<T extends InstanceType<typeof HttpAgent>>(
  choice: ProxyChoice,
  protocol: 'http:' | 'https:',
  create: (through: { readonly proxyEnv?: Readonly<Record<string, string>> }) => T,
): T {
  const direct = create({})
  const proxy = choice.proxyFor(protocol)
  const agent =
    proxy === undefined ? direct : create({ proxyEnv: { http_proxy: proxy, https_proxy: proxy } })
  const [addRequest, destroy] = [agent.addRequest.bind(agent), agent.destroy.bind(agent)]
  agent.addRequest = (request, target, ...more) => {
    request.maxHeaderSize = MAX_HEAD_BYTES
    const { host: hostname, port } = targetSchema.parse(target)
    const isDirect = choice.proxyOf({ protocol, hostname, port: String(port) }) === undefined
    if (agent === direct || !isDirect) {
      addRequest(request, target, ...more)
      return
    }
    withoutProxy(request)
    direct.addRequest(request, target, ...more)
  }
  agent.destroy = () => {
    destroy()
    if (agent !== direct) direct.destroy()
  }
  return agent
}

/** Takes back what Node has done to a plain request that it took for one to a proxy. */
function withoutProxy(request: ClientRequest): void {
  request.path = request.path.replace(/^http:\/\/[^/]*/, '')
  for (const field of ['proxy-authorization', 'proxy-connection']) request.removeHeader(field)
}
