import type { Camera, CameraMeters } from '../camera/camera.ts'
import type { CameraConfig } from '../config.ts'
import type { Session } from '../session/session.ts'
import type { Meter } from '../usage/meter.ts'
import { KvsError } from './kvs-error.ts'
import type { Operation } from './operation.ts'

type Quotas = CameraConfig['quotas']
type Limit = Exclude<keyof Quotas, 'enforced' | 'status' | 'usedByOthers'>

const PER_SESSION: Partial<Record<Operation, Limit>> = {
  GetHLSMasterPlaylist: 'masterPlaylist',
  GetHLSMediaPlaylist: 'mediaPlaylist',
  GetMP4InitFragment: 'initFragment',
  GetMP4MediaFragment: 'mediaFragment',
  GetTSFragment: 'tsFragment',
}

const PER_STREAM: Partial<Record<Operation, Limit & keyof CameraMeters>> = {
  GetDataEndpoint: 'getDataEndpoint',
  DescribeStream: 'describeStream',
  GetHLSStreamingSessionURL: 'getHlsStreamingSessionUrl',
  ListFragments: 'listFragments',
  DescribeStreamStorageConfiguration: 'describeStreamStorageConfiguration',
  ListTagsForStream: 'listTagsForStream',
}

/** Spends a call of a stream. Throws ClientLimitExceededException. KVS.md, section 10. */
export function spendStreamCall(camera: Camera, operation: Operation, nowMs: number): void {
  const limit = PER_STREAM[operation]
  if (limit === undefined) return
  const text = `Limit exceeded on number of requests for ${operation} API for resource '${camera.streamName}'`
  const { quotas } = camera.config
  spend(camera.meters[limit], nowMs, 1, quotas, ofStream(quotas, limit), text)
}

export function spendSessionCall(session: Session, operation: Operation, nowMs: number): void {
  const limit = PER_SESSION[operation]
  if (limit === undefined) return
  const text = `Limit exceeded on number of requests for ${operation} API for the streaming session`
  const { quotas } = session.camera.config
  spend(session.meter(operation), nowMs, 1, quotas, quotas[limit], text)
}

export function spendPoints(
  camera: Camera,
  kind: 'metadataPoints' | 'mediaPoints',
  amount: number,
  nowMs: number,
): void {
  const text = `Limit exceeded on fragment-${kind === 'mediaPoints' ? 'media' : 'metadata'} points for resource '${camera.streamName}'`
  const { quotas } = camera.config
  spend(camera.meters[kind], nowMs, amount, quotas, ofStream(quotas, kind), text)
}

/** Returns what other readers of the stream leave of a limit. */
function ofStream(quotas: Quotas, limit: Limit): number {
  return Math.floor(quotas[limit] * (1 - quotas.usedByOthers))
}

export function limitExceeded(status: number, message: string): KvsError {
  return new KvsError('ClientLimitExceededException', status, message)
}

function spend(
  meter: Meter,
  nowMs: number,
  amount: number,
  quotas: Quotas,
  limit: number,
  text: string,
): void {
  const within = meter.admit(nowMs, amount, limit)
  if (!within && quotas.enforced) throw limitExceeded(quotas.status, text)
}
