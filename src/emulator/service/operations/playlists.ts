import { writeMaster } from '../../playlist/master.ts'
import { writeMedia } from '../../playlist/media.ts'
import { spendPoints } from '../limits.ts'
import { readTrack } from '../parameters.ts'
import type { Media, SessionOperation } from '../session-operation.ts'

export const getHlsMasterPlaylist: SessionOperation = ({ session, nowMs }) => {
  return playlist(writeMaster(session, session.view(nowMs)))
}

export const getHlsMediaPlaylist: SessionOperation = ({ session, query, nowMs }) => {
  const { track } = readTrack(session, query)
  spendPoints(session.camera, 'metadataPoints', session.request.maxFragments, nowMs)
  return playlist(writeMedia(session, session.view(nowMs), track))
}

function playlist(text: string): Media {
  return { type: 'application/vnd.apple.mpegurl', body: Buffer.from(text) }
}
