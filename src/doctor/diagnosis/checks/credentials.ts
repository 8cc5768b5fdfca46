/** Who asks, and by which clock. */
import type { Call, KvsObservations } from '../../../trace/trace.ts'
import { lastFault, saying } from '../calls.ts'
import type { CauseCode } from '../causes.ts'
import { type FaultKind, faultKind } from '../fault-kind.ts'
import { type Finding, fine, found } from '../finding.ts'
import { span } from '../numbers.ts'

/** How far this machine’s date may be off before it is told, and before AWS would refuse what is signed by it. */
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
  // A Date has whole seconds.
  return [fine('clock', Math.abs(aheadMs) < 2000 ? 'within a second or two of AWS’s' : off)]
}
