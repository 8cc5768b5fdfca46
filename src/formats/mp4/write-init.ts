import { join, writeBox } from './boxes/box.ts'
import { u32, writeFullBox } from './boxes/fields.ts'
import { writeFragmentedFtyp } from './boxes/ftyp.ts'
import { writeHdlr } from './boxes/hdlr.ts'
import { UNITY } from './boxes/matrix.ts'
import { UNDETERMINED, writeMdhd } from './boxes/mdhd.ts'
import { writeMinf } from './boxes/minf.ts'
import { AS_IT_IS, writeMvhd } from './boxes/mvhd.ts'
import { pictureSizeOf, writeSampleEntry } from './boxes/sample-entry.ts'
import { writeStsd } from './boxes/stsd.ts'
import { NO_TIMES } from './boxes/times.ts'
import { FULL_VOLUME, TRACK_ENABLED, TRACK_IN_MOVIE, writeTkhd } from './boxes/tkhd.ts'
import { writeTrex } from './boxes/trex.ts'
import { renditionOf, type TrackDescription, timescaleOf } from './track.ts'

/** The timescale of the movie, in which no time is said. */
const MOVIE_TIMESCALE = 1000

/** Returns the id of a track. Tracks differ in their ids, so that a reader may mix our init segments. */
export function trackIdOf(description: TrackDescription): number {
  return renditionOf(description) === 'audio' ? 2 : 1
}

/**
 * Writes an init segment of one track: ftyp and moov. ISO/IEC 14496-12, annex on fragments, and CMAF, 7.3.1. It holds
 * nothing but the description, so equal parameter sets give equal bytes.
 * @throws Mp4Error when a parameter set cannot be read
 */
export function writeInit(description: TrackDescription): Buffer {
  const trackId = trackIdOf(description)
  const times = { ...NO_TIMES, duration: 0n }
  const defaults = { descriptionIndex: 1, duration: 0, size: 0, flags: 0 }
  return join([
    writeFragmentedFtyp(),
    writeBox('moov', [
      writeMvhd({ ...times, ...AS_IT_IS, timescale: MOVIE_TIMESCALE, nextTrackId: trackId + 1 }),
      writeTrack(description, trackId),
      writeBox('mvex', [writeTrex({ trackId, ...defaults })]),
    ]),
  ])
}

function writeTrack(description: TrackDescription, trackId: number): Buffer {
  const size = pictureSizeOf(description)
  return writeBox('trak', [
    writeTkhd({
      ...NO_TIMES,
      flags: TRACK_ENABLED | TRACK_IN_MOVIE,
      trackId,
      duration: 0n,
      layer: 0,
      alternateGroup: 0,
      volume: size === undefined ? FULL_VOLUME : 0,
      matrix: UNITY,
      width: (size?.width ?? 0) * 0x10000,
      height: (size?.height ?? 0) * 0x10000,
    }),
    writeMedia(description),
  ])
}

function writeMedia(description: TrackDescription): Buffer {
  const kind = renditionOf(description)
  return writeBox('mdia', [
    writeMdhd({
      ...NO_TIMES,
      timescale: timescaleOf(description),
      duration: 0n,
      language: UNDETERMINED,
    }),
    writeHdlr({ handler: kind === 'audio' ? 'soun' : 'vide', name: '\0' }),
    writeMinf(kind, writeSampleTable(description)),
  ])
}

/** Writes tables that describe samples without having any. */
function writeSampleTable(description: TrackDescription): Buffer {
  return writeBox('stbl', [
    writeStsd([writeSampleEntry(description)]),
    writeFullBox('stts', {}, [u32(0)]),
    writeFullBox('stsc', {}, [u32(0)]),
    writeFullBox('stsz', {}, [u32(0, 0)]),
    writeFullBox('stco', {}, [u32(0)]),
  ])
}
