import { GatewayError } from '../base/errors.ts'
import type { NearestTimes } from './nearest.ts'

/** Nothing was recorded in a range; the problem document tells when there was something. */
export function noRecording({ beforeMs, afterMs }: NearestTimes): GatewayError {
  const nearest = { nearestBefore: iso(beforeMs), nearestAfter: iso(afterMs) }
  const detail = 'Nothing was recorded, or is still kept, of that time.'
  return new GatewayError('no_recording', detail, { members: nearest })
}

/** Neither the stream nor its source keeps anything. */
export function noArchive(): GatewayError {
  const detail = 'Nothing is kept of this stream: its source keeps no recording, and it has no dvr.'
  return new GatewayError('bad_request', detail)
}

function iso(ms: number | undefined): string | null {
  return ms === undefined ? null : new Date(ms).toISOString()
}
