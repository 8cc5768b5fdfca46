import { parseMediaPlaylist } from '../../proof/media-playlist.ts'
import { parseMultivariantPlaylist } from '../../proof/multivariant-playlist.ts'
import { type Answer, ask } from '../../support/raw-http.ts'

/** A segment of a live playlist, with addresses that can be asked for. */
export interface Offer {
  readonly rendition: string
  readonly msn: number
  readonly discontinuity: boolean
  readonly url: string
  readonly initUrl: string
}

/** @throws Error for any other answer than 200 */
export async function get(url: string): Promise<Answer> {
  const answer = await ask(url)
  if (answer.status !== 200) throw new Error(`${answer.status} ${String(answer.body)} from ${url}`)
  return answer
}

/** All that a multivariant playlist leads to, rendition by rendition, oldest first. */
export async function offers(watchUrl: string): Promise<readonly Offer[]> {
  const { renditions } = parseMultivariantPlaylist(String((await get(watchUrl)).body))
  const lists = renditions.map(({ name, uri }) => offersOf(name, new URL(uri, watchUrl)))
  return (await Promise.all(lists)).flat()
}

async function offersOf(rendition: string, url: URL): Promise<readonly Offer[]> {
  const { segments } = parseMediaPlaylist(String((await get(url.href)).body))
  return segments.flatMap(({ msn, discontinuity, gap, uri, mapUri }) => {
    if (gap || mapUri === undefined) return []
    const [segmentUrl, initUrl] = [new URL(uri, url).href, new URL(mapUri, url).href]
    return [{ rendition, msn, discontinuity, url: segmentUrl, initUrl }]
  })
}

/** The newest segment of the first rendition. */
export async function newestMsn(watchUrl: string): Promise<number> {
  const [first, ...rest] = await offers(watchUrl)
  if (first === undefined) throw new Error('nothing is listed')
  return Math.max(first.msn, ...rest.map(({ msn }) => msn))
}
