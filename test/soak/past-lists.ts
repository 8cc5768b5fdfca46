import type { Finding } from '../proof/fault.ts'
import { readInitSegment } from '../proof/init-segment.ts'
import type { ListedSegment, MediaPlaylist } from '../proof/media-playlist.ts'
import { checkRow, type Row, type Tolerances, type WatchedSegment } from '../proof/media-rules.ts'
import { readMediaSegment } from '../proof/media-segment.ts'
import { parseMultivariantPlaylist, type Rendition } from '../proof/multivariant-playlist.ts'
import { between } from '../proof/seeded-random.ts'
import type { PastClient, Span } from './past-client.ts'

/** A rendition's list as it is now. */
export interface PastList {
  readonly name: string
  readonly url: URL
  readonly playlist: MediaPlaylist
}

/**
 * A recorded fragment's place follows from its date, in milliseconds, and not from its neighbour's end; how
 * long it lasts is known from a list that tells of one track, rounded too.
 */
export const RECORDED: Tolerances = {
  jumpMs: 50,
  extinfMs: 41,
  gapMs: 80,
  pdtMs: 80,
  renditionsMs: 150,
  seamlessMs: 10,
}

/**
 * A late fragment in the DVR stands before one whose bytes are published: where the two are over 1 ms apart (G2),
 * only a break can say so. Dates are printed in milliseconds, so what is judged is only a step that they show as none.
 */
export const HELD: Tolerances = { ...RECORDED, seamlessMs: 0.1 }

/** The renditions of a multivariant playlist, or undefined and an incident. */
export async function renditionsOf(
  client: PastClient,
  url: URL,
  span?: Span,
): Promise<readonly Rendition[] | undefined> {
  const answer = await client.get(url, span)
  if (answer === undefined) return undefined
  client.counts.playlists += 1
  return readable(client, url, () => parseMultivariantPlaylist(String(answer.body)).renditions)
}

/** What `read` makes of an answer, or undefined and an incident. */
export function readable<T>(client: PastClient, url: URL, read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    client.incident('playlist', url, String(error))
    return undefined
  }
}

export function report(client: PastClient, url: URL, findings: readonly Finding[]): void {
  for (const { kind, msn, detail } of findings) client.incident(kind, url, `${msn ?? ''} ${detail}`)
}

/**
 * Fetches some fragments in a row, anywhere in the lists, in all renditions: they must be there, be the same
 * as whenever they were fetched before, and follow on as the lists say.
 */
export async function playSome(
  client: PastClient,
  lists: readonly PastList[],
  fragments: number,
  tolerances: Tolerances,
): Promise<void> {
  const from = Math.max(...lists.map(({ playlist }) => playlist.mediaSequence))
  const to = Math.min(...lists.map(({ playlist }) => (playlist.segments.at(-1)?.msn ?? -1) + 1))
  if (to <= from) return
  const first = between(client.options.random, from, Math.max(from, to - fragments))
  let previous: Row | undefined
  for (let msn = first; msn < Math.min(first + fragments, to); msn += 1) {
    const row = await playRow(client, lists, msn)
    if (row === undefined) return
    const [list] = lists
    if (list !== undefined) report(client, list.url, checkRow(previous, row, tolerances))
    client.saw('fragments played')
    previous = row
  }
}

async function playRow(
  client: PastClient,
  lists: readonly PastList[],
  msn: number,
): Promise<Row | undefined> {
  const entries = new Map<string, WatchedSegment | 'gap'>()
  for (const { name, url, playlist } of lists) {
    const listed = playlist.segments[msn - playlist.mediaSequence]
    const entry = listed === undefined ? undefined : await play(client, url, listed)
    if (entry === undefined) return undefined
    entries.set(name, entry)
  }
  return { msn, entries }
}

async function play(
  client: PastClient,
  listUrl: URL,
  listed: ListedSegment,
): Promise<WatchedSegment | 'gap' | undefined> {
  const { gap, mapUri, uri } = listed
  if (gap || mapUri === undefined) return 'gap'
  const url = new URL(uri, listUrl)
  const init = await client.media(new URL(mapUri, listUrl))
  const bytes = await client.media(url)
  if (init === undefined || bytes === undefined) return undefined
  client.counts.segments += 1
  return readable(client, url, () => {
    const media = readMediaSegment(bytes, readInitSegment(init))
    return { listed, media, initDigest: mapUri }
  })
}
