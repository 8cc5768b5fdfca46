import { malformed } from '../formats/mp4/mp4-error.ts'
import { ownHeadEnd, ownMedia } from '../formats/mp4/own-form.ts'
import { type FragmentPlace, rewriteHead, rewriteMedia } from '../formats/mp4/rewrite.ts'
import { splitMedia } from '../formats/mp4/split.ts'
import { renditionOf } from '../formats/mp4/track.ts'
import { writeTrack } from '../formats/mp4/write-track.ts'
import { needsNoInit, readSegment } from '../formats/read-segment.ts'
import type { SegmentTrack } from '../timeline/fragment.ts'
import type { StreamedBody } from '../upstream/hls-session.ts'

/** Says what is wanted of a fragment that is fetched again. */
export interface RefetchedTrack extends Pick<SegmentTrack, 'init' | 'durationTicks' | 'opaque'> {
  /** Whether it comes together with the other track. */
  readonly muxed: boolean
  readonly place: FragmentPlace
}

/**
 * A track of a fragment that is fetched again, with its published times written in, byte for byte as it was
 * published, handed on while it arrives. What has to be taken apart, and a fragment of several chunks, has
 * to be there in full first.
 * @param offset how many bytes of the result the reader has already
 * @throws Mp4Error when upstream's bytes are no fragment; what the body throws when it is cut
 */
export async function* retimed(
  { size, body }: StreamedBody,
  track: RefetchedTrack,
  offset: number,
): AsyncGenerator<Buffer> {
  let skip = offset
  for await (const chunk of track.opaque === undefined ? rewritten(body, size, track) : body) {
    if (skip < chunk.length) yield chunk.subarray(skip)
    skip = Math.max(0, skip - chunk.length)
  }
}

async function* rewritten(
  body: AsyncIterable<Buffer>,
  size: number,
  track: RefetchedTrack,
): AsyncGenerator<Buffer> {
  const parts: Buffer[] = []
  let way: 'unknown' | 'whole' | 'passing' = track.muxed ? 'whole' : 'unknown'
  for await (const chunk of body) {
    if (way === 'passing') {
      yield chunk
      continue
    }
    parts.push(chunk)
    if (way === 'whole') continue
    const gathered = Buffer.concat(parts)
    const headEnd = needsNoInit(gathered) ? 'none' : ownHeadEnd(gathered, size, track.init)
    if (headEnd === 'none') way = 'whole'
    else if (headEnd !== undefined) {
      way = 'passing'
      yield rewriteHead(gathered.subarray(0, headEnd), track.place)
      yield gathered.subarray(headEnd)
    }
  }
  if (way !== 'passing') yield rewriteMedia(mediaOf(Buffer.concat(parts), track), track.place)
}

/** Returns the track's own media fragment, made as when it was fetched first. */
function mediaOf(bytes: Buffer, track: RefetchedTrack): Buffer {
  if (needsNoInit(bytes)) return theOne(written(bytes, track), track)
  const own = track.muxed ? theOne(splitMedia(bytes, track.init), track) : bytes
  return ownMedia(own, track.init)
}

function theOne(media: Buffer | undefined, { init }: RefetchedTrack): Buffer {
  if (media === undefined) throw malformed(`a fragment without ${init.rendition}`)
  return media
}

function written(segment: Buffer, { init, durationTicks }: RefetchedTrack): Buffer | undefined {
  const loneMs = (durationTicks / init.timescale) * 1_000
  const { tracks } = readSegment(segment, { loneMs })
  const wanted = tracks.find(({ description }) => renditionOf(description) === init.rendition)
  return wanted === undefined ? undefined : writeTrack(wanted).bytes
}
