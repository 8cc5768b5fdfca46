/** Whether AWS is reached, who asks, and whether they may. */
import type { Call, HostLook, KvsObservations } from '../../../trace/trace.ts'
import { callsOf, lastFault, saying, wordsOf } from '../calls.ts'
import type { CauseCode } from '../causes.ts'
import { type FaultKind, faultKind } from '../fault-kind.ts'
import { type CheckName, type Finding, fine, found } from '../finding.ts'
import { counted, span } from '../numbers.ts'

/** How far this machine's date may be off before it is told, and before AWS would refuse what is signed by it. */
const [CLOCK_LATE_MS, CLOCK_OFF_MS] = [5000, 290_000]

const CREDENTIAL_CODES: Partial<Record<FaultKind, CauseCode>> = {
  'credentials-expired': 'credentials_expired',
  'credentials-missing': 'no_credentials',
  'credentials-refused': 'credentials_refused',
}

export function credentials(o: KvsObservations): Finding[] {
  const own = lastFault(o, 'Credentials')
  if (own !== undefined) {
    const { call, kind } = own
    if (o.settings.region === null && isRegionless(call)) {
      return [found('credentials', 'no_region', 'nobody names a region')]
    }
    return [found('credentials', ownCode(kind, call, o), saying(call))]
  }
  const refused = o.calls.find((call) => CREDENTIAL_CODES[faultKind(call) ?? 'other'] !== undefined)
  const code = refused && CREDENTIAL_CODES[faultKind(refused) ?? 'other']
  if (refused !== undefined && code !== undefined) {
    return [found('credentials', code, saying(refused))]
  }
  const { credentials: seen } = o
  if (seen === undefined) return []
  if (seen.leftMs !== undefined && seen.leftMs <= 0) {
    const ago = span(-seen.leftMs)
    return [found('credentials', 'credentials_expired', `expired ${ago} ago`)]
  }
  const left = seen.leftMs === undefined ? '' : `, for another ${span(seen.leftMs)}`
  const whose = seen.role ? ' of the assumed role' : ''
  return [fine('credentials', `${seen.kind}${whose}${left}`)]
}

function isRegionless({ fault }: Call): boolean {
  return /no AWS region|region is missing/i.test(fault?.message ?? '')
}

/** What GetDataEndpoint named is no host of KVS. */
function isRefusedAddress({ fault }: Call): boolean {
  return /named an address/.test(fault?.message ?? '')
}

function ownCode(kind: FaultKind, call: Call, o: KvsObservations): CauseCode {
  // Where no role is assumed, it is this machine that is asked for them.
  if (kind === 'unreachable') {
    return call.fault?.name === 'DeadlineError' ? 'no_credentials' : 'control_unreachable'
  }
  if (o.calls[0]?.fault?.action === 'sts:AssumeRole' || kind === 'denied') return 'role_refused'
  return CREDENTIAL_CODES[kind] ?? 'no_credentials'
}

export function clock(o: KvsObservations): Finding[] {
  const aheadMs = o.calls.flatMap((call) => call.aheadMs ?? []).at(-1)
  const refused = o.calls.find((call) => faultKind(call) === 'clock')
  if (refused !== undefined && Math.abs(aheadMs ?? 0) < CLOCK_OFF_MS) {
    return [found('clock', 'clock_off', saying(refused))]
  }
  if (aheadMs === undefined) return []
  const off = `this machine’s clock is ${span(aheadMs)} ${aheadMs > 0 ? 'behind' : 'ahead of'} AWS’s`
  if (Math.abs(aheadMs) >= CLOCK_OFF_MS) return [found('clock', 'clock_off', off)]
  if (Math.abs(aheadMs) >= CLOCK_LATE_MS) return [found('clock', 'clock_late', off)]
  // Half a second either way is the roundness of the Date.
  return [fine('clock', 'within a second or two of AWS’s')].map((finding) =>
    Math.abs(aheadMs) < 2000 ? finding : fine('clock', off),
  )
}

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

/** The calls that the gateway makes, and those of the doctor alone. */
const NEEDED = ['GetDataEndpoint', 'GetHLSStreamingSessionURL', 'ListFragments']
const DOCTORS = ['DescribeStream', 'DescribeStreamStorageConfiguration', 'GetMediaForFragmentList']

export function permissions(o: KvsObservations): Finding[] {
  const denied = [...NEEDED, ...DOCTORS].flatMap((operation) => {
    const fault = lastFault(o, operation)
    return fault === undefined ? [] : deniedAs(o, operation, fault.call, fault.kind)
  })
  if (denied.length > 0) return denied
  const keyId = o.matroska?.flatMap(({ errorId }) => errorId ?? []).find(isOfKey)
  if (keyId !== undefined) {
    return [
      found('permissions', 'kms_denied', `GetMediaForFragmentList: error ${keyId} of its key`),
    ]
  }
  const allowed = [...NEEDED, ...DOCTORS].filter((operation) =>
    callsOf(o, operation).some(isAllowed),
  )
  if (allowed.length === 0) return []
  const missing = NEEDED.filter((one) => !allowed.includes(one))
  const rest = missing.length === 0 ? '' : `; not tried: ${missing.join(', ')}`
  return [fine('permissions', `${counted(allowed.length, 'action')} allowed${rest}`)]
}

/** KVS.md, section 6.5: 4503 is a key service that is away. */
function isOfKey(errorId: number): boolean {
  return errorId >= 4500 && errorId <= 4506 && errorId !== 4503
}

/** Whoever may not ask hears that before anything else. */
function isAllowed(call: Call): boolean {
  const kind = faultKind(call)
  if (call.status === undefined) return false
  return kind === undefined || AFTER_PERMISSION.includes(kind)
}

const AFTER_PERMISSION: readonly FaultKind[] = [
  'codec-private-data-invalid',
  'codec-private-data-missing',
  'no-retention',
  'not-found',
  'unsupported-media',
]

function deniedAs(
  o: KvsObservations,
  operation: string,
  call: Call,
  kind: FaultKind,
): readonly Finding[] {
  const seen = saying(call)
  if (kind === 'kms') return [found('permissions', 'kms_denied', seen)]
  if (kind !== 'denied') return []
  if (call.fault?.crossAccount === true && o.credentials?.role !== true) {
    return [found('permissions', 'other_account', seen)]
  }
  const action = call.fault?.action ?? `kinesisvideo:${operation}`
  const code = DOCTORS.includes(operation) ? 'doctor_action_missing' : 'action_missing'
  return [found('permissions', code, `${action} is refused`, { ACTION: action, ...wordsOf(o) })]
}

/** Others who read the stream take what is ours of its quota. */
export function throttling(o: KvsObservations): Finding[] {
  const refused = o.calls.filter((call) => faultKind(call) === 'throttled')
  const [first] = refused
  if (first === undefined) return []
  const operations = [...new Set(refused.map(({ operation }) => operation))]
  const isOut = NEEDED.some((one) => lastFault(o, one)?.kind === 'throttled')
  const check: CheckName = 'quota'
  const seen = `${counted(refused.length, 'call')} of ours throttled: ${operations.join(', ')}`
  // Of a stream's own limit KVS says whose it is.
  if (isOfAccount(first)) return [found(check, 'account_throttled', seen)]
  return [found(check, isOut ? 'throttled_out' : 'throttled', seen)]
}

function isOfAccount({ operation, fault }: Call): boolean {
  const isControl = operation === 'DescribeStream' || operation === 'GetDataEndpoint'
  const { message = '' } = fault ?? {}
  return isControl && message !== '' && !/resource/i.test(message)
}
