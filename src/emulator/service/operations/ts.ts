import { writeTsMedia } from '../../media/ts-media.ts'
import { invalidArgument } from '../kvs-error.ts'
import { spendPoints } from '../limits.ts'
import { readFragment } from '../parameters.ts'
import type { SessionOperation } from '../session-operation.ts'

export const getTsFragment: SessionOperation = ({ session, query, nowMs }) => {
  if (session.request.container !== 'MPEG_TS') {
    throw invalidArgument('The streaming session is not of container format MPEG_TS.')
  }
  const fragment = readFragment(session, query, nowMs)
  spendPoints(session.camera, 'mediaPoints', 1, nowMs)
  return { type: 'video/MP2T', body: writeTsMedia(session, fragment) }
}
