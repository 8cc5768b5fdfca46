import { writeBox } from '../boxes/box.ts'
import { NORMAL_SPEED, writeElst } from '../boxes/elst.ts'
import { writeHdlr } from '../boxes/hdlr.ts'
import type { Matrix } from '../boxes/matrix.ts'
import { UNDETERMINED, writeMdhd } from '../boxes/mdhd.ts'
import { writeMinf } from '../boxes/minf.ts'
import { timesOf } from '../boxes/times.ts'
import { FULL_VOLUME, TRACK_ENABLED, TRACK_IN_MOVIE, writeTkhd } from '../boxes/tkhd.ts'

/**
 * How many ticks a second there are in what is said about the whole movie: fine enough to keep sound and picture together.
 */
export const MOVIE_TIMESCALE = 90_000

/** Says what the header boxes of one track say. */
export interface TrackHeader {
  readonly trackId: number
  readonly kind: 'video' | 'audio'
  readonly createdMs: number
  /** How many ticks a second the track has. */
  readonly timescale: number
  /** The sum of all sample durations, in ticks of the track. */
  readonly mediaTicks: number
  /** How long the movie runs before the track begins, in ticks of the movie. */
  readonly emptyTicks: number
  /** Where within the media presentation begins, in ticks of the track: not at 0 with B-frames. */
  readonly firstTicks: number
  readonly matrix: Matrix
  /** How wide it is, in pixels as 16.16; 0 for sound. */
  readonly width: number
  readonly height: number
}

/**
 * Writes a trak box.
 * @param stbl its sample tables
 */
export function writeTrak(header: TrackHeader, stbl: Buffer): Buffer {
  return writeBox('trak', [
    writeHeader(header),
    writeBox('edts', [writeEdits(header)]),
    writeMdia(header, stbl),
  ])
}

/** Returns how long the track takes from the movie's start to its own end, in ticks of the movie. */
export function trackTicks(header: TrackHeader): number {
  return header.emptyTicks + editTicks(header)
}

/** Rounds up, because a shorter edit would cut into the last sample. */
function editTicks({ mediaTicks, timescale }: TrackHeader): number {
  return Math.ceil((mediaTicks * MOVIE_TIMESCALE) / timescale)
}

function writeHeader(header: TrackHeader): Buffer {
  const { trackId, kind, createdMs, matrix, width, height } = header
  return writeTkhd({
    ...timesOf(createdMs),
    flags: TRACK_ENABLED | TRACK_IN_MOVIE,
    trackId,
    duration: BigInt(trackTicks(header)),
    layer: 0,
    alternateGroup: kind === 'audio' ? 1 : 0,
    volume: kind === 'audio' ? FULL_VOLUME : 0,
    matrix,
    width,
    height,
  })
}

/** Puts the tracks' different starts against each other. */
function writeEdits(header: TrackHeader): Buffer {
  const { emptyTicks, firstTicks } = header
  const shown = {
    duration: BigInt(editTicks(header)),
    mediaTime: BigInt(firstTicks),
    rate: NORMAL_SPEED,
  }
  const empty = { duration: BigInt(emptyTicks), mediaTime: -1n, rate: NORMAL_SPEED }
  return writeElst({ version: 1, edits: emptyTicks > 0 ? [empty, shown] : [shown] })
}

function writeMdia({ kind, createdMs, timescale, mediaTicks }: TrackHeader, stbl: Buffer): Buffer {
  const [handler, name] = kind === 'video' ? ['vide', 'video'] : ['soun', 'audio']
  return writeBox('mdia', [
    writeMdhd({
      ...timesOf(createdMs),
      timescale,
      duration: BigInt(mediaTicks),
      language: UNDETERMINED,
    }),
    writeHdlr({ handler, name: `${name}\0` }),
    writeMinf(kind, stbl),
  ])
}
