import type { Call, KvsObservations } from '../../trace/trace.ts'
import { type FaultKind, faultKind } from './fault-kind.ts'

/** The calls that the gateway makes, and those of the doctor alone. */
export const NEEDED: readonly string[] = [
  'GetDataEndpoint',
  'GetHLSStreamingSessionURL',
  'ListFragments',
]
export const DOCTORS: readonly string[] = [
  'DescribeStream',
  'DescribeStreamStorageConfiguration',
  'GetMediaForFragmentList',
]

/** Returns the calls of an operation, in their order. */
export function callsOf(
  { calls }: { readonly calls: readonly Call[] },
  operation: string,
  detail?: string,
): readonly Call[] {
  return calls.filter(
    (call) => call.operation === operation && (detail === undefined || call.detail === detail),
  )
}

/** Says what was wrong with an operation in the end; undefined where it went well or was not tried. */
export function lastFault(
  observations: { readonly calls: readonly Call[] },
  operation: string,
  detail?: string,
): { readonly call: Call; readonly kind: FaultKind } | undefined {
  const call = callsOf(observations, operation, detail).at(-1)
  const kind = call && faultKind(call)
  return call === undefined || kind === undefined ? undefined : { call, kind }
}

/** The words that orders leave open. STREAM is told by whoever knows the name. */
export function wordsOf({ settings: { region } }: KvsObservations): Record<string, string> {
  return { REGION: region ?? 'REGION', PARTITION: partitionOf(region ?? '') }
}

function partitionOf(region: string): string {
  if (region.startsWith('cn-')) return 'aws-cn'
  if (region.startsWith('us-gov-')) return 'aws-us-gov'
  if (region.startsWith('eusc-')) return 'aws-eusc'
  return 'aws'
}

/** What a call said, short enough for a line. */
export function saying({ operation, status, fault }: Call): string {
  const name = fault?.name ?? ''
  const message = fault?.message === undefined || fault.message === '' ? '' : `: ${fault.message}`
  const answer = status === undefined ? name : `${status} ${name}`
  return `${operation}: ${answer}${message}`.replaceAll(/\s+/g, ' ').slice(0, 300)
}
