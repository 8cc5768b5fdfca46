/** Whether who asks may. */
import type { Call, KvsObservations } from '../../../trace/trace.ts'
import { callsOf, DOCTORS, lastFault, NEEDED, saying, wordsOf } from '../calls.ts'
import { type FaultKind, faultKind } from '../fault-kind.ts'
import { type Finding, fine, found } from '../finding.ts'
import { counted } from '../numbers.ts'

/** What is refused by something that no statement in the asker’s own policy changes. KVS.md, section 7.2. */
const ELSEWHERE = /explicit deny|service control policy|permissions boundary|session policy/i

export function permissions(o: KvsObservations): Finding[] {
  const special = [...NEEDED, ...DOCTORS].flatMap((operation) => specialRefusal(o, operation))
  if (special.length > 0) return special
  const denied = [
    ...missing(o, NEEDED, 'action_missing'),
    ...missing(o, DOCTORS, 'doctor_action_missing'),
  ]
  if (denied.length > 0) return denied
  const keyId = o.matroska?.flatMap(({ errorId }) => errorId ?? []).find(isOfKey)
  if (keyId !== undefined) {
    const seen = `GetMediaForFragmentList: error ${keyId} of its key`
    return [found('permissions', 'kms_denied', seen)]
  }
  const allowed = [...NEEDED, ...DOCTORS].filter((operation) => isAllowed(o, operation))
  if (allowed.length === 0) return []
  const untried = NEEDED.filter((one) => !allowed.includes(one))
  const rest = untried.length === 0 ? '' : `; not tried: ${untried.join(', ')}`
  return [fine('permissions', `${counted(allowed.length, 'action')} allowed${rest}`)]
}

/** Returns a refusal that a statement in a policy does not cure. */
function specialRefusal(o: KvsObservations, operation: string): readonly Finding[] {
  const fault = lastFault(o, operation)
  if (fault === undefined) return []
  const { call, kind } = fault
  const seen = saying(call)
  if (kind === 'kms') return [found('permissions', 'kms_denied', seen)]
  if (kind !== 'denied') return []
  if (call.fault?.crossAccount === true && o.credentials?.role !== true) {
    return [found('permissions', 'other_account', seen)]
  }
  const isElsewhere = ELSEWHERE.test(call.fault?.message ?? '')
  return isElsewhere ? [found('permissions', 'action_denied', seen)] : []
}

/** Tells what is refused, with a statement for it and for what could not be tried because of it. */
function missing(
  o: KvsObservations,
  operations: readonly string[],
  code: 'action_missing' | 'doctor_action_missing',
): readonly Finding[] {
  const refused = operations.flatMap((operation) => {
    const fault = lastFault(o, operation)
    return fault?.kind === 'denied' ? [actionOf(operation, fault.call)] : []
  })
  if (refused.length === 0) return []
  const untried = operations
    .filter((operation) => callsOf(o, operation).length === 0)
    .map((operation) => actionOf(operation))
  const actions = [...new Set([...refused, ...untried])]
  const ACTION = JSON.stringify(actions.length === 1 ? actions[0] : actions)
  const seen = `${refused.join(', ')} ${refused.length === 1 ? 'is' : 'are'} refused`
  return [found('permissions', code, seen, { ACTION, ...wordsOf(o) })]
}

function actionOf(operation: string, call?: Call): string {
  return call?.fault?.action ?? `kinesisvideo:${operation}`
}

/** KVS.md, section 6.5: 4503 is a key service that is away. */
function isOfKey(errorId: number): boolean {
  return errorId >= 4500 && errorId <= 4506 && errorId !== 4503
}

const AFTER_PERMISSION: readonly FaultKind[] = [
  'codec-private-data-invalid',
  'codec-private-data-missing',
  'no-retention',
  'not-found',
  'unsupported-media',
]

/** Whoever may not ask hears that before anything else. */
function isAllowed(o: KvsObservations, operation: string): boolean {
  return callsOf(o, operation).some((call) => {
    const kind = faultKind(call)
    if (call.status === undefined) return false
    return kind === undefined || AFTER_PERMISSION.includes(kind)
  })
}
