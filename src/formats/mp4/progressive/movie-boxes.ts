import { writeBox } from '../write-box.ts'
import { fullBox, u16, u32, u64 } from './fields.ts'

/** Ticks per second of what is said about the whole movie: fine enough to keep sound and picture together. */
export const MOVIE_TIMESCALE = 90_000

/** What the header boxes of one track say. */
export interface TrackHeader {
  readonly trackId: number
  readonly kind: 'video' | 'audio'
  readonly createdMs: number
  /** Ticks per second of the track. */
  readonly timescale: number
  /** The sum of all sample durations, in ticks of the track. */
  readonly mediaTicks: number
  /** How long the movie runs before the track begins, in ticks of the movie. */
  readonly emptyTicks: number
  /** Where within the media presentation begins, in ticks of the track: not at 0 with B-frames. */
  readonly firstTicks: number
  /** Pixels; 0 for sound. */
  readonly width: number
  readonly height: number
}

/** 1904-01-01 to 1970-01-01. ISO/IEC 14496-12, 8.2.2. */
const SECONDS_TO_1970 = 2_082_844_800
/** Nothing is turned or scaled. */
const MATRIX = u32(0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
const UNDETERMINED_LANGUAGE = 0x55c4
const FULL_VOLUME = 0x100

export function writeFtyp(): Buffer {
  // ctts boxes of version 1 need iso4.
  return writeBox('ftyp', [Buffer.from('isom'), u32(0x200), Buffer.from('isomiso4mp41mp42')])
}

export function writeMvhd(createdMs: number, durationTicks: number, tracks: number): Buffer {
  return fullBox('mvhd', 1, 0, [
    dates(createdMs),
    u32(MOVIE_TIMESCALE),
    u64(durationTicks),
    u32(0x10000),
    u16(FULL_VOLUME, 0),
    u32(0, 0),
    MATRIX,
    u32(0, 0, 0, 0, 0, 0),
    u32(tracks + 1),
  ])
}

/** @param stbl its sample tables */
export function writeTrak(header: TrackHeader, stbl: Buffer): Buffer {
  return writeBox('trak', [
    writeTkhd(header),
    writeBox('edts', [writeElst(header)]),
    writeBox('mdia', [writeMdhd(header), writeHdlr(header.kind), writeMinf(header.kind, stbl)]),
  ])
}

/** How long the track takes from the movie's start to its own end, in ticks of the movie. */
export function trackTicks(header: TrackHeader): number {
  return header.emptyTicks + editTicks(header)
}

/** Rounded up: a shorter edit would cut into the last sample. */
function editTicks({ mediaTicks, timescale }: TrackHeader): number {
  return Math.ceil((mediaTicks * MOVIE_TIMESCALE) / timescale)
}

function writeTkhd(header: TrackHeader): Buffer {
  const { trackId, kind, createdMs, width, height } = header
  const [enabled, inMovie] = [1, 2]
  return fullBox('tkhd', 1, enabled + inMovie, [
    dates(createdMs),
    u32(trackId, 0),
    u64(trackTicks(header), 0),
    u16(0, kind === 'audio' ? 1 : 0, kind === 'audio' ? FULL_VOLUME : 0, 0),
    MATRIX,
    u32(width * 0x10000, height * 0x10000),
  ])
}

/** Puts the tracks' different starts against each other. ISO/IEC 14496-12, 8.6.6. */
function writeElst(header: TrackHeader): Buffer {
  const { emptyTicks, firstTicks } = header
  const rate = u16(1, 0)
  const edits = [[u64(editTicks(header), firstTicks), rate]]
  if (emptyTicks > 0) edits.unshift([u64(emptyTicks), u32(0xffffffff, 0xffffffff), rate])
  return fullBox('elst', 1, 0, [u32(edits.length), ...edits.flat()])
}

function writeMdhd({ createdMs, timescale, mediaTicks }: TrackHeader): Buffer {
  const end = [u32(timescale), u64(mediaTicks), u16(UNDETERMINED_LANGUAGE, 0)]
  return fullBox('mdhd', 1, 0, [dates(createdMs), ...end])
}

function writeHdlr(kind: TrackHeader['kind']): Buffer {
  const [type, name] = kind === 'video' ? ['vide', 'video'] : ['soun', 'audio']
  return fullBox('hdlr', 0, 0, [u32(0), Buffer.from(type), u32(0, 0, 0), Buffer.from(`${name}\0`)])
}

function writeMinf(kind: TrackHeader['kind'], stbl: Buffer): Buffer {
  const header =
    kind === 'video' ? fullBox('vmhd', 0, 1, [u16(0, 0, 0, 0)]) : fullBox('smhd', 0, 0, [u16(0, 0)])
  // One data reference, whose flag says: this file.
  const dref = fullBox('dref', 0, 0, [u32(1), fullBox('url ', 0, 1, [])])
  return writeBox('minf', [header, writeBox('dinf', [dref]), stbl])
}

/** Creation and modification. */
function dates(ms: number): Buffer {
  const seconds = Math.max(0, Math.floor(ms / 1000) + SECONDS_TO_1970)
  return u64(seconds, seconds)
}
