import type { Proxies } from '../proxies.ts'

/** The backstop behind deadlines on our clock, which does not see sockets. */
const TIMEOUTS = { connectionTimeout: 3000, requestTimeout: 10_000 }

// An import of node:http loads Node's own fetch for the names that it exports: 4 MiB that nobody uses.
const { Agent: HttpAgent } = process.getBuiltinModule('node:http')
const { Agent: HttpsAgent } = process.getBuiltinModule('node:https')

/** Makes how one SDK client sends. Node's own agents go through proxies (since 24.5); each client ends its own. */
export function requestHandler({ http, https, none }: Proxies = {}) {
  if (http === undefined && https === undefined) return TIMEOUTS
  const proxyEnv = { HTTP_PROXY: http, HTTPS_PROXY: https, NO_PROXY: none }
  const options = { keepAlive: true, maxSockets: 50, proxyEnv }
  return { ...TIMEOUTS, httpAgent: new HttpAgent(options), httpsAgent: new HttpsAgent(options) }
}
