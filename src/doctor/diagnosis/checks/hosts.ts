/** Whether AWS is reached, and by which way. */
import type { Call, HostLook, KvsObservations } from '../../../trace/trace.ts'
import { callsOf, lastFault, saying, wordsOf } from '../calls.ts'
import type { CauseCode } from '../causes.ts'
import { type FaultKind, faultKind } from '../fault-kind.ts'
import { type Finding, fine, found } from '../finding.ts'
import { span } from '../numbers.ts'

const NETWORK_CODES: Partial<Record<FaultKind, CauseCode>> = {
  proxy: 'proxy_refuses',
  stranger: 'stranger_answers',
  tls: 'tls_intercepted',
  misrouted: 'wrong_endpoint',
  server: 'kvs_failing',
}

export function controlHost(o: KvsObservations): Finding[] {
  const calls = callsOf(o, 'DescribeStream')
  const fault = lastFault(o, 'DescribeStream')
  const first = calls[0]
  if (first === undefined) return []
  const code = fault && networkCode(fault.call, o.control, 'control_unreachable')
  if (fault !== undefined && code !== undefined) {
    return [found('control host', code, saying(fault.call), wordsOf(o))]
  }
  return [fine('control host', `answers in ${span(first.tookMs)}${familyOf(o.control)}`)]
}

export function dataHost(o: KvsObservations): Finding[] {
  const asked = o.calls.filter(isToDataHost)
  const codeOf = (call: Call): CauseCode | undefined =>
    networkCode(call, o.data, 'data_unreachable')
  const trouble = asked.find((call) => codeOf(call) !== undefined)
  const code = trouble && codeOf(trouble)
  if (trouble !== undefined && code !== undefined) {
    return [found('data host', code, saying(trouble), wordsOf(o))]
  }
  const endpoint = lastFault(o, 'GetDataEndpoint')
  if (endpoint !== undefined && isRefusedAddress(endpoint.call)) {
    return [found('data host', 'wrong_endpoint', saying(endpoint.call))]
  }
  const [first] = asked
  if (first === undefined) return []
  return [fine('data host', `answers in ${span(first.tookMs)}${familyOf(o.data)}`)]
}

/** The media of a session that came half way are told with the media. */
function isToDataHost({ operation }: Call): boolean {
  return ['ListFragments', 'GetHLSStreamingSessionURL', 'GetHLSMasterPlaylist'].includes(operation)
}

/** What GetDataEndpoint named is no host of KVS. */
function isRefusedAddress({ fault }: Call): boolean {
  return /named an address/.test(fault?.message ?? '')
}

/** Returns what stands between here and a host; undefined where it has answered. */
function networkCode(
  call: Call,
  host: HostLook | undefined,
  unreachable: CauseCode,
): CauseCode | undefined {
  const kind = faultKind(call)
  if (kind === undefined) return undefined
  if (kind !== 'unreachable') return NETWORK_CODES[kind]
  // Whom we connect to then is the proxy.
  if (host?.viaProxy === true) return 'proxy_refuses'
  const isUnknown = /^(ENOTFOUND|EAI_)/.test(call.fault?.name ?? '')
  return isUnknown ? 'proxy_needed' : unreachable
}

function familyOf(host: HostLook | undefined): string {
  if (host === undefined) return ''
  const { kind, ipv4, ipv6, isPrivate, viaProxy } = host
  if (viaProxy) return ', through the proxy'
  const families = [ipv4 > 0 ? 'IPv4' : '', ipv6 > 0 ? 'IPv6' : ''].filter((one) => one !== '')
  const family = families.length === 0 ? '' : `, ${families.join(' and ')}`
  const special = kind === 'aws' || kind === 'other' ? '' : `, ${kind}`
  return `${family}${special}${isPrivate ? ', a private address' : ''}`
}
