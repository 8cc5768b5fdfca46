import type { Fragment } from '../camera/fragment.ts'
import type { TrackKind } from '../media/clip.ts'
import type { Session } from '../session/session.ts'
import { fragmentNotFound, invalidArgument, KvsError } from './kvs-error.ts'
import type { Query } from './session-operation.ts'

/** Reads TrackNumber, which counts from 1. */
export function readTrack(session: Session, query: Query): { track: number; kind: TrackKind } {
  const track = Number(query.get('TrackNumber'))
  const kind = session.tracks[track - 1]
  if (kind === undefined) throw invalidArgument('Invalid TrackNumber.')
  return { track, kind }
}

/** Finds the fragment named by FragmentNumber, if this session can have it now. */
export function readFragment(session: Session, query: Query, nowMs: number): Fragment {
  const text = query.get('FragmentNumber') ?? ''
  if (!/^\d{1,128}$/.test(text)) throw invalidArgument('Invalid FragmentNumber.')
  const fragment = session.camera.timeline.find(asNumber(session, text))
  const oldestMs = session.camera.oldestMs(nowMs)
  if (fragment === undefined || fragment.listedAtMs > nowMs || fragment.serverMs < oldestMs) {
    throw fragmentNotFound()
  }
  checkLoadable(session, fragment)
  return fragment
}

/** Refuses other tracks or codecs, which make loading fail until there is a new session. KVS.md, section 6.3. */
export function checkLoadable(session: Session, fragment: Fragment): void {
  if (session.canLoad(fragment)) return
  const message = 'The tracks of the fragment differ from those of the streaming session.'
  throw new KvsError('UnsupportedStreamMediaTypeException', 400, message)
}

function asNumber(session: Session, text: string): bigint {
  if (session.camera.config.fragmentUri === 'number') return BigInt(text)
  return session.numberAt(Number(text)) ?? BigInt(text)
}
