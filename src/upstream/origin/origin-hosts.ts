import { isIP } from 'node:net'
import { originError } from './origin-error.ts'

/** Matches names that lead into somebody's own network. RFC 6761, RFC 6762, and what clouds use. */
const PRIVATE_NAME = /(^|\.)(localhost|local|internal|lan|home|corp|arpa)$/

/**
 * Says which addresses that an origin names are followed. Origins send players to CDNs, so hosts differ; but they shall
 * not make us fetch, and publish, what only this machine can reach. So another host, or another port, needs a public-looking
 * name, which has to lead to a public address when it is connected to, and TLS is never given up.
 */
export class OriginHosts {
  readonly #configured: URL

  constructor(configured: URL) {
    this.#configured = configured
  }

  /**
   * Resolves `uri` in the playlist or redirect at `base`.
   * @throws GatewayError `upstream_unavailable`, without the address, because it may hold a token
   */
  resolve(uri: string, base: URL): URL {
    if (!URL.canParse(uri, base.href)) throw refusal('cannot be resolved')
    const url = new URL(uri, base)
    url.hash = ''
    if (url.protocol !== 'https:' && url.protocol !== 'http:') throw refusal('is not http or https')
    if (url.protocol === 'http:' && this.#configured.protocol === 'https:') {
      throw refusal('gives up https')
    }
    if (!this.isConfigured(url) && (url.username !== '' || url.password !== '')) {
      throw refusal('holds credentials')
    }
    if (!this.isOwn(url) && !isPublicName(url.hostname)) {
      throw refusal('is not a public host')
    }
    return url
  }

  /**
   * Says whether it is the host that an operator has configured, which may be an inner one: at the configured port or at
   * that of the protocol, because what else listens on an inner host, our admin listener for one, is nobody's media.
   */
  isOwn({ hostname, port }: URL): boolean {
    return hostname === this.#configured.hostname && (port === this.#configured.port || port === '')
  }

  /** Says whether scheme, host and port are those of the configured URL, which its headers are meant for. */
  isConfigured(url: URL): boolean {
    return url.origin === this.#configured.origin
  }
}

function isPublicName(hostname: string): boolean {
  const name = hostname.replace(/\.$/, '').toLowerCase()
  return isIP(name.replace(/^\[|\]$/g, '')) === 0 && name.includes('.') && !PRIVATE_NAME.test(name)
}

function refusal(reason: string): Error {
  return originError('upstream_unavailable', { cause: new Error(`a URI of the origin ${reason}`) })
}
