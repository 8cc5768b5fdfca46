import type { Session } from '../session/session.ts'
import type { Answer } from './answer.ts'
import type { Delivery } from './delivery.ts'
import { sessionExpired, sessionUnknown } from './kvs-error.ts'
import { spendSessionCall } from './limits.ts'
import type { Operation } from './operation.ts'
import { getMp4InitFragment, getMp4MediaFragment } from './operations/mp4.ts'
import { getHlsMasterPlaylist, getHlsMediaPlaylist } from './operations/playlists.ts'
import { getTsFragment } from './operations/ts.ts'
import { respond } from './respond.ts'
import type { Service } from './service.ts'
import type { Query, SessionOperation } from './session-operation.ts'

export const SESSION_PATHS: Readonly<Record<string, Operation>> = {
  '/hls/v1/getHLSMasterPlaylist.m3u8': 'GetHLSMasterPlaylist',
  '/hls/v1/getHLSMediaPlaylist.m3u8': 'GetHLSMediaPlaylist',
  '/hls/v1/getMP4InitFragment.mp4': 'GetMP4InitFragment',
  '/hls/v1/getMP4MediaFragment.mp4': 'GetMP4MediaFragment',
  '/hls/v1/getTSFragment.ts': 'GetTSFragment',
}

const IMPLEMENTATIONS: Partial<Record<Operation, SessionOperation>> = {
  GetHLSMasterPlaylist: getHlsMasterPlaylist,
  GetHLSMediaPlaylist: getHlsMediaPlaylist,
  GetMP4InitFragment: getMp4InitFragment,
  GetMP4MediaFragment: getMp4MediaFragment,
  GetTSFragment: getTsFragment,
}

/** Answers one GET below /hls/v1/: no signature, only the token. */
export async function answerSession(
  service: Service,
  operation: Operation,
  query: Query,
  signal: AbortSignal,
): Promise<Delivery> {
  const session = service.sessions.find(query.get('SessionToken') ?? '')
  const delivery = await respond(
    service,
    {
      operation,
      session,
      camera: session?.camera,
      fragment: query.get('FragmentNumber'),
      track: query.get('TrackNumber'),
    },
    signal,
    (nowMs) => run(operation, session, query, nowMs),
  )
  return session?.camera.config.cors === false ? delivery : withCors(delivery)
}

function run(
  operation: Operation,
  session: Session | undefined,
  query: Query,
  nowMs: number,
): Answer {
  if (session === undefined) throw sessionUnknown()
  if (session.state(nowMs) !== 'open') throw sessionExpired()
  spendSessionCall(session, operation, nowMs)
  session.lastUsedMs = nowMs
  const implementation = IMPLEMENTATIONS[operation]
  if (implementation === undefined) throw new TypeError(`${operation} is not a session operation`)
  const { type, body } = implementation({ session, query, nowMs })
  return { status: 200, headers: { 'content-type': type }, body }
}

function withCors(delivery: Delivery): Delivery {
  const headers = { ...delivery.answer.headers, 'access-control-allow-origin': '*' }
  return { ...delivery, answer: { ...delivery.answer, headers } }
}
