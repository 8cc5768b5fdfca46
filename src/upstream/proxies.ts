import { isIP } from 'node:net'
import { inRanges, parseCidr } from '../base/cidr.ts'

/** Says through which proxies requests go, as the environment says it to everybody; absent: none. */
export interface Proxies {
  readonly http?: string | undefined
  readonly https?: string | undefined
  /** The hosts that are asked directly, as {@link ProxyChoice} reads them. */
  readonly none?: string | undefined
}

type Environment = Readonly<Record<string, string | undefined>>

/**
 * Reads `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY`, in small letters first as curl does. What has no proxy of its own for
 * https goes through the other one.
 */
export function proxiesOf(env: Environment): Proxies {
  const named = (name: string): string | undefined => {
    const value = env[name.toLowerCase()] ?? env[name]
    return value === '' ? undefined : value
  }
  const proxy = (name: string): string | undefined => {
    const value = named(name)
    // As curl reads it: one without a scheme speaks http.
    return value === undefined || value.includes('://') ? value : `http://${value}`
  }
  const http = proxy('HTTP_PROXY')
  return { http, https: proxy('HTTPS_PROXY') ?? http, none: named('NO_PROXY') }
}

/** Where a request goes, as URLs say it. */
export type Target = Pick<URL, 'protocol' | 'hostname' | 'port'>

/**
 * Chooses the proxy of a request. undici, Node and other programs read NO_PROXY each in their own way, so it is read here
 * for all: with commas or blanks between them, names and what is below them (`example.com`, `.example.com`), patterns
 * (`*`, `*.example.com`, `10.1.*`), addresses and ranges (`10.0.0.0/8`, `fd00::/8`), each perhaps with a port. Names are
 * not looked up for that.
 */
export class ProxyChoice {
  readonly #proxies: Proxies
  readonly #direct: readonly Direct[]

  constructor(proxies: Proxies) {
    this.#proxies = proxies
    this.#direct = (proxies.none ?? '').split(/[\s,]+/).flatMap((entry) => readDirect(entry) ?? [])
  }

  /** Whether there is a proxy at all. */
  get hasProxy(): boolean {
    return this.#proxies.http !== undefined || this.#proxies.https !== undefined
  }

  /** Returns the URL of the proxy of what is not asked directly; undefined where there is none. */
  proxyFor(protocol: string): string | undefined {
    const { http, https = http } = this.#proxies
    return protocol === 'https:' ? https : http
  }

  /** Returns the URL of the proxy; undefined where the target is asked directly. */
  proxyOf(target: Target): string | undefined {
    const proxy = this.proxyFor(target.protocol)
    if (proxy === undefined) return undefined
    const host = target.hostname.replace(/^\[(.*)\]$|\.$/g, '$1').toLowerCase()
    const usualPort = target.protocol === 'https:' ? '443' : '80'
    const port = target.port === '' ? usualPort : target.port
    const isDirect = this.#direct.some((one) => {
      return (one.port === undefined || one.port === port) && one.holds(host)
    })
    return isDirect ? undefined : proxy
  }
}

/** An entry of NO_PROXY. */
interface Direct {
  readonly port: string | undefined
  readonly holds: (host: string) => boolean
}

/** Takes the port off, before which an address of IPv6 stands in brackets. */
function splitPort(written: string): { readonly name: string; readonly port?: string | undefined } {
  const [bracketed, inner = '', bits = '', innerPort] =
    /^\[([^\]]*)\](\/\d+)?(?::(\d+))?$/.exec(written) ?? []
  if (bracketed !== undefined) return { name: inner + bits, port: innerPort }
  const [, name = written, port] = /^([^:]*)(?::(\d+))?$/.exec(written) ?? []
  return { name, port }
}

function readDirect(written: string): Direct | undefined {
  const { name, port } = splitPort(written)
  if (parseCidr(name) !== undefined) {
    const isInRange = inRanges([name])
    return { port, holds: (host) => isIP(host) !== 0 && isInRange(host) }
  }
  const pattern = name.toLowerCase().replace(/^\.|\.$/g, '')
  if (pattern === '') return undefined
  if (!pattern.includes('*')) {
    return { port, holds: (host) => host === pattern || host.endsWith(`.${pattern}`) }
  }
  const literal = pattern.replaceAll(/[^a-z0-9*]/g, '\\$&')
  const expression = new RegExp(`^${literal.replaceAll(/\*+/g, '.*')}$`)
  return { port, holds: (host) => expression.test(host) }
}
