import { readHeadStructure, readMediaStructure } from '../formats/mp4/media-structure.ts'
import { theTrackOf } from '../formats/mp4/moof.ts'
import { malformed } from '../formats/mp4/mp4-error.ts'
import { ownHeadEnd, ownMedia } from '../formats/mp4/own-form.ts'
import { type FragmentPlace, rewriteHead, rewriteMedia } from '../formats/mp4/rewrite.ts'
import type { InitFacts, RenditionName } from '../timeline/fragment.ts'
import type { HlsSession, StreamedBody } from '../upstream/hls-session.ts'
import type { ListedFragment, ListedMap } from '../upstream/listed-fragment.ts'
import { fetchTrackInit } from './fetch-fragment.ts'

/** One track of a fragment of which the head is here, while its media data still arrive. */
export interface ArrivingTrack {
  readonly rendition: RenditionName
  readonly init: InitFacts
  /** The tfdt of the first sample, in ticks, on whatever base the session has. */
  readonly baseTicks: number
  /** The bytes from the first on, to be read once, soon, or to be abandoned. */
  readonly body: StreamedBody
  /** Returns how many bytes it has with these times written in. */
  readonly sizeAt: (place: FragmentPlace) => number
  /** Ends the body. */
  readonly abandon: () => void
}

/** A fragment that can be known by its head: fragmented MP4 with a playlist for each track. */
export interface MappedFragment extends ListedFragment {
  readonly map: ListedMap
}

export function isMapped(
  session: HlsSession,
  listed: ListedFragment | undefined,
): listed is MappedFragment {
  const isApart = !session.playlists.includes('muxed')
  return isApart && listed?.map !== undefined && listed.opaque === undefined
}

/**
 * Opens one track of a listed fragment, and reads as much of it as tells where it begins.
 * @throws Mp4Error when its head is none of a media fragment; what the session throws otherwise
 */
export async function openTrack(
  session: HlsSession,
  playlist: RenditionName,
  { map, number }: MappedFragment,
  signal: AbortSignal,
): Promise<ArrivingTrack> {
  const life = new AbortController()
  const leave = (): void => life.abort(signal.reason)
  signal.addEventListener('abort', leave, { once: true })
  try {
    signal.throwIfAborted()
    const [init, { size, body }] = await Promise.all([
      fetchTrackInit(session, playlist, map, life.signal),
      session.openFragment(playlist, number, life.signal),
    ])
    const { baseTicks, sizeAt, rest } = await readHead(body, size, init)
    return {
      rendition: playlist,
      init,
      baseTicks,
      body: { size, body: rest },
      sizeAt,
      abandon: () => life.abort(new Error('nobody reads it')),
    }
  } catch (error) {
    life.abort(error)
    throw error
  } finally {
    signal.removeEventListener('abort', leave)
  }
}

interface ReadHead extends Pick<ArrivingTrack, 'baseTicks' | 'sizeAt'> {
  /** Yields all of the body, what has been read of it as well. */
  readonly rest: AsyncIterable<Buffer>
}

async function readHead(
  body: AsyncIterable<Buffer>,
  size: number,
  init: InitFacts,
): Promise<ReadHead> {
  const chunks = body[Symbol.asyncIterator]()
  const parts: Buffer[] = []
  let end: ReturnType<typeof ownHeadEnd>
  for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) {
    parts.push(next.value)
    if (end === 'none') continue
    const read = Buffer.concat(parts)
    end = ownHeadEnd(read, size, init)
    if (end === undefined || end === 'none') continue
    const headEnd = end
    const head = read.subarray(0, headEnd)
    return {
      baseTicks: startOf(readHeadStructure(head)),
      sizeAt: (place) => size - headEnd + rewriteHead(head, place).length,
      rest: from(read, chunks),
    }
  }
  // What has several chunks, or another form than ours, is known once all of it is here.
  const whole = Buffer.concat(parts)
  const media = ownMedia(whole, init)
  return {
    baseTicks: startOf(readMediaStructure(media)),
    sizeAt: (place) => rewriteMedia(media, place).length,
    rest: from(whole, chunks),
  }
}

/** Returns the tfdt of the first sample, in ticks. */
function startOf({ chunks: [first] }: ReturnType<typeof readMediaStructure>): number {
  if (first === undefined) throw malformed('a fragment without media')
  return Number(theTrackOf(first.moof).startTicks)
}

async function* from(read: Buffer, chunks: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  yield read
  for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) {
    yield next.value
  }
}
