import { trackOf } from '../../media/fragment-media.ts'
import { writeMp4Media } from '../../media/mp4-media.ts'
import type { Session } from '../../session/session.ts'
import { fragmentNotFound, invalidArgument } from '../kvs-error.ts'
import { spendPoints } from '../limits.ts'
import { checkLoadable, readFragment, readTrack } from '../parameters.ts'
import type { SessionOperation } from '../session-operation.ts'

export const getMp4InitFragment: SessionOperation = ({ session, query }) => {
  checkContainer(session)
  const { kind } = readTrack(session, query)
  const text = query.get('SequenceNumber')
  if (text !== undefined && !/^\d{1,9}$/.test(text))
    throw invalidArgument('Invalid SequenceNumber.')
  const fragment = session.encodedAs(text === undefined ? undefined : Number(text))
  if (fragment === undefined) throw fragmentNotFound()
  checkLoadable(session, fragment)
  const track = trackOf(fragment, kind)
  if (track === undefined) throw fragmentNotFound()
  return { type: 'video/mp4', body: track.init }
}

export const getMp4MediaFragment: SessionOperation = ({ session, query, nowMs }) => {
  checkContainer(session)
  const { kind } = readTrack(session, query)
  const fragment = readFragment(session, query, nowMs)
  spendPoints(session.camera, 'mediaPoints', 1, nowMs)
  const track = trackOf(fragment, kind)
  if (track === undefined) throw fragmentNotFound()
  return { type: 'video/mp4', body: writeMp4Media(session, fragment, track) }
}

function checkContainer({ request }: Session): void {
  if (request.container === 'FRAGMENTED_MP4') return
  throw invalidArgument('The streaming session is not of container format FRAGMENTED_MP4.')
}
