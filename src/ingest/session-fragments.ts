import { unusableAnswer } from '../upstream/errors.ts'
import type { HlsSession } from '../upstream/hls-session.ts'
import type { ListedFragment } from '../upstream/listed-fragment.ts'
import { type FetchedTrack, fetchTracks } from './fetch-fragment.ts'

/** One fragment as all playlists of a session list it, in the order of the session's playlists. */
export interface SessionFragment {
  readonly number: bigint
  readonly dateMs: number
  readonly lists: readonly (ListedFragment | undefined)[]
}

/** Lists all that a session of the past lists, because it says everything at the first look. */
export async function listFragments(
  session: HlsSession,
  signal: AbortSignal,
): Promise<readonly SessionFragment[]> {
  const [first = [], ...others] = await Promise.all(
    session.playlists.map((name) => session.list(name, signal)),
  )
  const byNumber = others.map((list) => new Map(list.map((listed) => [listed.number, listed])))
  return first.map((listed) => {
    const { number, startMs: dateMs } = listed
    if (dateMs === undefined) throw unusableAnswer('a fragment of the past has no date')
    return { number, dateMs, lists: [listed, ...byNumber.map((list) => list.get(number))] }
  })
}

/** Fetches all tracks of a listed fragment, whole and verified, video first. */
export async function fetchFragment(
  session: HlsSession,
  { lists }: SessionFragment,
  signal: AbortSignal,
): Promise<readonly FetchedTrack[]> {
  const fetched = await Promise.all(
    session.playlists.flatMap((name, i) => {
      const listed = lists[i]
      return listed === undefined ? [] : [fetchTracks(session, name, listed, signal)]
    }),
  )
  return fetched.flat()
}
