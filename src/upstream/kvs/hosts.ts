import { GatewayError } from '../../base/errors.ts'

/** What stands below a region's name, in all partitions, with one family of addresses or two. KVS.md, section 9.1. */
const DOMAIN = [
  'amazonaws.com',
  'api.aws',
  'amazonaws.com.cn',
  'api.amazonwebservices.com.cn',
  'c2s.ic.gov',
  'api.aws.ic.gov',
  'sc2s.sgov.gov',
  'api.aws.scloud',
  'cloud.adc-e.uk',
  'api.cloud-aws.adc-e.uk',
  'csp.hci.ic.gov',
  'api.aws.hci.ic.gov',
  'amazonaws.eu',
  'api.amazonwebservices.eu',
]
  .map((domain) => domain.replaceAll('.', '\\.'))
  .join('|')

const CONTROL_HOST = String.raw`kinesisvideo(-fips)?\.[a-z0-9-]+\.(${DOMAIN})`

/** Matches a data host. KVS.md, section 9.3. */
const KVS_DATA_HOST = new RegExp(`^[a-z]-[0-9a-f]{8}\\.${CONTROL_HOST}$`)

const KVS_CONTROL_HOST = new RegExp(`^${CONTROL_HOST}$`)

/** Says whether the SDK asks AWS itself, or an endpoint that somebody configured in its place. */
export function isAwsControlHost(hostname: string): boolean {
  return KVS_CONTROL_HOST.test(hostname)
}

/**
 * Says which URLs handed out by upstream we follow: only KVS data hosts over https. With an endpoint override
 * (emulator, VPC endpoint) the operator has chosen whom to trust, and so whatever hosts that endpoint names, over plain
 * http too.
 */
export class UpstreamHosts {
  readonly overridden: boolean

  constructor(overridden: boolean) {
    this.overridden = overridden
  }

  /**
   * Checks a URL.
   * @throws GatewayError `upstream_unavailable`, without the URL, because it may hold a token
   */
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

/** Says which family of names a host of KVS belongs to; `other` for whoever stands in for it. */
export function hostKind(hostname: string): 'aws' | 'fips' | 'dual-stack' | 'other' {
  if (!KVS_CONTROL_HOST.test(hostname) && !KVS_DATA_HOST.test(hostname)) return 'other'
  if (hostname.includes('kinesisvideo-fips.')) return 'fips'
  return /\.api\.(aws|amazonwebservices|cloud-aws)\b/.test(hostname) ? 'dual-stack' : 'aws'
}
