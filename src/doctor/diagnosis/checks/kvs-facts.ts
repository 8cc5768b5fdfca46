/** What nobody outside AWS has written down, as this stream shows it. KVS.md, section 13. */
import type { BoxShape, KvsObservations } from '../../../trace/trace.ts'
import { callsOf } from '../calls.ts'
import { type Finding, fine } from '../finding.ts'
import { parameter, type RenditionFacts, type SessionFacts } from '../session-facts.ts'

/** Times beyond this count from 1970. */
const EPOCH_S = 1e9

export function kvsFacts(o: KvsObservations, facts: SessionFacts | undefined): Finding[] {
  const [main] = facts?.renditions ?? []
  const first = main?.lists[0]
  if (facts === undefined || main === undefined || first === undefined) return []
  const told = [
    `first MEDIA-SEQUENCE ${first.list.mediaSequence}`,
    `FragmentNumber of ${numberForm(main)}`,
    `tfdt counts from ${tfdtOrigin(main)}`,
    `boxes ${boxesOf(main)}`,
    `SequenceNumber on MAP: ${yes(hasOnMap(main))}`,
    `DISCONTINUITY-SEQUENCE: ${yes(textOf(main).includes('EXT-X-DISCONTINUITY-SEQUENCE'))}`,
    `playlist version ${first.list.version ?? 'not said'}`,
  ]
  return [told.join('; '), ...headersOf(o)].map((seen) => fine('KVS facts', seen))
}

function numberForm({ lists }: RenditionFacts): string {
  const uri = lists.at(-1)?.list.segments.at(-1)?.uri ?? ''
  const number = parameter(uri, 'FragmentNumber')
  return number === undefined ? 'another form' : `${number.length} digits`
}

function tfdtOrigin({ look }: RenditionFacts): string {
  const timescale = look.inits[0]?.timescale
  const starts = look.media.flatMap(({ baseTicks }) => baseTicks ?? [])
  const [first] = starts
  if (timescale === undefined || first === undefined) return 'what was not seen'
  if (first / timescale > EPOCH_S) return '1970'
  return starts.length > 1 && starts.every((start) => start === first)
    ? 'each fragment’s beginning'
    : 'the session’s or the producer’s beginning'
}

function boxesOf({ look }: RenditionFacts): string {
  const boxes: readonly BoxShape[] = look.media[0]?.boxes ?? []
  return boxes.length === 0 ? 'none' : boxes.map(({ type }) => type).join(' ')
}

function hasOnMap({ lists }: RenditionFacts): boolean {
  const uri = lists[0]?.list.segments[0]?.map?.uri ?? ''
  return parameter(uri, 'SequenceNumber') !== undefined
}

function textOf({ look }: RenditionFacts): string {
  return look.playlists[0]?.text ?? ''
}

function headersOf(o: KvsObservations): readonly string[] {
  return ['GetHLSMediaPlaylist', 'GetMP4MediaFragment', 'GetTSFragment'].flatMap((operation) => {
    const headers = callsOf(o, operation)[0]?.headers
    if (headers === undefined) return []
    const type = headers['content-type'] ?? 'no content type'
    const cache = headers['cache-control'] ?? 'no Cache-Control'
    const cors = headers['access-control-allow-origin'] === undefined ? 'no CORS' : 'CORS'
    return [`${operation} ${type}, ${cache}, ${cors}`]
  })
}

function yes(is: boolean): string {
  return is ? 'yes' : 'no'
}
