import { pictureSizeOf, writeSampleEntry } from './sample-entry.ts'
import { renditionOf, type TrackDescription, timescaleOf } from './track.ts'
import { halfWords, join, words, writeBox, writeFullBox } from './write-box.ts'

/** 1 as 16.16, and as 2.30. */
const ONE = 0x10000
const UNITY = [ONE, 0, 0, 0, ONE, 0, 0, 0, 0x40000000] as const
/** `und`: three letters of five bits. */
const UNDETERMINED = 0x55c4

/** Tracks differ in their ids, so that a reader may mix our init segments. */
export function trackIdOf(description: TrackDescription): number {
  return renditionOf(description) === 'audio' ? 2 : 1
}

/**
 * An init segment of one track: ftyp and moov. ISO/IEC 14496-12, annex on fragments, and CMAF, 7.3.1.
 * Nothing in it but the description, so equal parameter sets give equal bytes.
 * @throws Mp4Error when a parameter set cannot be read
 */
export function writeInit(description: TrackDescription): Buffer {
  const trackId = trackIdOf(description)
  const brands = Buffer.from('iso6\0\0\0\0iso6cmfcmp41', 'latin1')
  return join([
    writeBox('ftyp', [brands]),
    writeBox('moov', [
      writeFullBox('mvhd', 0, 0, [
        words(0, 0, 1000, 0, ONE),
        halfWords(0x100, 0),
        words(0, 0, ...UNITY),
        words(0, 0, 0, 0, 0, 0, trackId + 1),
      ]),
      writeTrack(description, trackId),
      writeBox('mvex', [writeFullBox('trex', 0, 0, [words(trackId, 1, 0, 0, 0)])]),
    ]),
  ])
}

function writeTrack(description: TrackDescription, trackId: number): Buffer {
  const size = pictureSizeOf(description)
  const volume = size === undefined ? 0x100 : 0
  const enabledInMovie = 3
  return writeBox('trak', [
    writeFullBox('tkhd', 0, enabledInMovie, [
      words(0, 0, trackId, 0, 0, 0, 0),
      halfWords(0, 0, volume, 0),
      words(...UNITY),
      words((size?.width ?? 0) * ONE, (size?.height ?? 0) * ONE),
    ]),
    writeMedia(description),
  ])
}

function writeMedia(description: TrackDescription): Buffer {
  const isAudio = renditionOf(description) === 'audio'
  const handler = Buffer.from(isAudio ? 'soun' : 'vide', 'latin1')
  const header = isAudio
    ? writeFullBox('smhd', 0, 0, [words(0)])
    : writeFullBox('vmhd', 0, 1, [words(0, 0)])
  const here = writeFullBox('url ', 0, 1, [])
  return writeBox('mdia', [
    writeFullBox('mdhd', 0, 0, [
      words(0, 0, timescaleOf(description), 0),
      halfWords(UNDETERMINED, 0),
    ]),
    writeFullBox('hdlr', 0, 0, [words(0), handler, words(0, 0, 0), Buffer.from([0])]),
    writeBox('minf', [
      header,
      writeBox('dinf', [writeFullBox('dref', 0, 0, [words(1), here])]),
      writeSampleTable(description),
    ]),
  ])
}

/** Describes samples without having any. */
function writeSampleTable(description: TrackDescription): Buffer {
  return writeBox('stbl', [
    writeFullBox('stsd', 0, 0, [words(1), writeSampleEntry(description)]),
    writeFullBox('stts', 0, 0, [words(0)]),
    writeFullBox('stsc', 0, 0, [words(0)]),
    writeFullBox('stsz', 0, 0, [words(0, 0)]),
    writeFullBox('stco', 0, 0, [words(0)]),
  ])
}
