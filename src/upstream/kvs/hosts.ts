import { GatewayError } from '../../base/errors.ts'

/** KVS.md, section 1. */
const KVS_DATA_HOST = /^[a-z]-[0-9a-f]{8}\.kinesisvideo\.[a-z0-9-]+\.amazonaws\.com(\.cn)?$/

/** `kinesisvideo.{region}.amazonaws.com` and its FIPS, dual-stack and China variants. */
const KVS_CONTROL_HOST = /^kinesisvideo(-fips)?\.[a-z0-9-]+\.(amazonaws\.com(\.cn)?|api\.aws)$/

/** Whether the SDK asks AWS itself, or an endpoint that somebody configured in its place. */
export function isAwsControlHost(hostname: string): boolean {
  return KVS_CONTROL_HOST.test(hostname)
}

/**
 * Which URLs handed out by upstream we follow: only KVS data hosts over https. With an endpoint
 * override (emulator, VPC endpoint) the operator has chosen whom to trust, and so whatever hosts that
 * endpoint names, over plain http too.
 */
export class UpstreamHosts {
  readonly overridden: boolean

  constructor(overridden: boolean) {
    this.overridden = overridden
  }

  /** @throws GatewayError `upstream_unavailable`, without the URL: it may hold a token */
  check(text: string): URL {
    const url = URL.canParse(text) ? new URL(text) : undefined
    if (url === undefined) throw refusal('is not a URL')
    if (url.username !== '' || url.password !== '') throw refusal('holds credentials')
    if (this.overridden) return checkScheme(url)
    if (url.protocol !== 'https:') throw refusal('is not https')
    if (url.port !== '' || !KVS_DATA_HOST.test(url.hostname))
      throw refusal('is not a KVS data host')
    return url
  }
}

function checkScheme(url: URL): URL {
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw refusal('is not http or https')
  return url
}

function refusal(reason: string): GatewayError {
  return new GatewayError('upstream_unavailable', `Upstream named an address that ${reason}.`)
}
