import { readInit } from '../../formats/mp4/init.ts'
import { readMedia } from '../../formats/mp4/media.ts'
import { Mp4Error } from '../../formats/mp4/mp4-error.ts'
import { splitInit, splitMedia } from '../../formats/mp4/split.ts'
import { renditionOf, timescaleOf } from '../../formats/mp4/track.ts'
import { readSegment } from '../../formats/read-segment.ts'
import type { PlaylistName } from '../hls-session.ts'

/**
 * Reads when a segment begins by its own times, in seconds on whatever base it counts. Undefined when that cannot be
 * read.
 * @param init undefined for a segment that needs none
 */
export function mediaBeginS(
  init: Buffer | undefined,
  bytes: Buffer,
  playlist: PlaylistName,
): number | undefined {
  try {
    return init === undefined ? segmentBeginS(bytes, playlist) : mp4BeginS(init, bytes, playlist)
  } catch (error) {
    if (error instanceof Mp4Error) return undefined
    throw error
  }
}

function segmentBeginS(bytes: Buffer, playlist: PlaylistName): number | undefined {
  const { tracks } = readSegment(bytes, { loneMs: 0 })
  const track = tracks.find(({ description }) => renditionOf(description) === playlist)
  const [first] = track?.samples ?? []
  if (track === undefined || first === undefined) return undefined
  return first.dts / timescaleOf(track.description)
}

function mp4BeginS(init: Buffer, bytes: Buffer, playlist: PlaylistName): number | undefined {
  const inits = splitInit(init)
  const facts = inits.map(readInit).find(({ rendition }) => rendition === playlist)
  const own = facts !== undefined && inits.length > 1 ? splitMedia(bytes, facts) : bytes
  if (facts === undefined || own === undefined) return undefined
  return readMedia(own, facts).baseTicks / facts.timescale
}
