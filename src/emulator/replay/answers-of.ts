import type { Call, Fault, KvsObservations } from '../../trace/trace.ts'
import type { CameraConfigInput } from '../config.ts'
import { USER_ARN } from '../service/denial.ts'
import { OPERATIONS, type Operation } from '../service/operation.ts'

type FaultInput = NonNullable<CameraConfigInput['faults']>[number]

/** A call that went wrong, of those that the emulator answers. */
interface Failed {
  readonly operation: Operation
  readonly call: Call
  /** Which share of the calls of this operation went wrong in the same way. */
  readonly share: number
}

const UNANSWERED_MS = 600_000
const OTHER_ACCOUNT = '210987654321'
const OWN_ACCOUNT = '123456789012'
/** What a date may be off by for being read as it passes. */
const EXACT_MS = 2000
const DEAD_HOSTS = {
  ECONNREFUSED: 'refused',
  ENOTFOUND: 'unresolvable',
  EAI_AGAIN: 'unresolvable',
} as const

/** Returns the faults that answer as KVS did, and how its clock and hosts were. */
export function answersOf(seen: KvsObservations): CameraConfigInput {
  const dataHost = dataHostOf(seen)
  const isElsewhere = (seen.elsewhere ?? []).length > 0
  const failed = failedCalls(seen.calls).filter(({ operation, call }) => {
    // Its region answers so by itself.
    return !(isElsewhere && operation === 'DescribeStream' && call.status === 404)
  })
  return {
    clockOffsetMs: clockOffset(seen.calls),
    ...(dataHost === undefined ? {} : { dataHost }),
    ...errorOf(seen.matroska?.[0]?.errorId),
    faults: dataHost === undefined ? failed.map(faultOf) : failed.filter(isAnswered).map(faultOf),
  }
}

function errorOf(id: number | undefined): CameraConfigInput {
  return id !== undefined && id >= 3000 && id <= 5999 ? { fragmentError: id } : {}
}

/** Returns one of each way in which an operation failed, with how often. */
function failedCalls(calls: readonly Call[]): readonly Failed[] {
  return OPERATIONS.flatMap((operation) => {
    const all = calls.filter((call) => call.operation === operation)
    const ways = Map.groupBy(
      all.filter(({ fault }) => fault !== undefined),
      ({ status, fault }) => `${status} ${fault?.name}`,
    )
    return Array.from(ways.values(), ([call, ...others]) =>
      call === undefined ? [] : [{ operation, call, share: (1 + others.length) / all.length }],
    ).flat()
  })
}

function isAnswered({ call }: Failed): boolean {
  return call.status !== undefined
}

function faultOf({ operation, call, share }: Failed): FaultInput {
  const { status, fault } = call
  const where = { operation, probability: share }
  if (status === undefined) {
    return /reset/i.test(fault?.name ?? '')
      ? { kind: 'refuse', ...where }
      : { kind: 'latency', ms: UNANSWERED_MS, ...where }
  }
  if (status < 400) return { kind: 'html', status, ...where }
  const message = fault === undefined ? '' : named(fault)
  return { kind: 'status', status, type: fault?.name ?? 'InternalFailure', message, ...where }
}

/** Puts names of ours where a trace leaves them out: who asked, where that is said, and for what. */
function named({ message, action = '', crossAccount = false }: Fault): string {
  const account = crossAccount ? OTHER_ACCOUNT : OWN_ACCOUNT
  const resource = action.startsWith('kms:')
    ? `arn:aws:kms:us-west-2:${account}:key/replayed`
    : `arn:aws:kinesisvideo:us-west-2:${account}:stream/replayed/0`
  const names = message.startsWith('User: ') ? [USER_ARN, resource] : [resource]
  return message.replace(/\[arn\]/g, () => names.shift() ?? 'arn')
}

function dataHostOf({ data, calls }: KvsObservations): 'refused' | 'unresolvable' | undefined {
  const reasons = [
    data?.fault?.name,
    ...calls.filter(({ status }) => status === undefined).map(({ fault }) => fault?.name),
  ]
  const [found] = reasons.flatMap((reason) =>
    Object.entries(DEAD_HOSTS).flatMap(([name, host]) => (name === reason ? [host] : [])),
  )
  return found
}

/** Returns how far AWS's date was ahead, by the middle one of all answers. */
function clockOffset(calls: readonly Call[]): number {
  const ahead = calls.map(({ aheadMs }) => aheadMs).filter((ms) => ms !== undefined)
  const middle = ahead.toSorted((a, b) => a - b)[Math.floor(ahead.length / 2)] ?? 0
  return Math.abs(middle) <= EXACT_MS ? 0 : Math.round(middle)
}
