import type { Camera } from '../camera/camera.ts'
import type { Fragment } from '../camera/fragment.ts'
import { decodeFragmentNumber } from '../camera/fragment-number.ts'
import { hash32 } from '../camera/hash.ts'
import { tracksOf } from '../media/fragment-media.ts'
import { blocksOf } from './blocks.ts'
import { element, master, openEnded, text, unsigned } from './ebml.ts'
import { writeTags } from './tags.ts'
import { silentEntry, trackEntry } from './track-entry.ts'

const SEGMENT = 0x18538067
const INFO = 0x1549a966
const TRACKS = 0x1654ae6b
const CLUSTER = 0x1f43b675
const APPLICATION = 'KVS emulator'
/** Counters of a connection share their thousands. */
const CONNECTION = 1000

const EBML = master(0x1a45dfa3, [
  unsigned(0x4286, 1),
  unsigned(0x42f7, 1),
  unsigned(0x42f2, 4),
  unsigned(0x42f3, 8),
  text(0x4282, 'matroska'),
  unsigned(0x4287, 2),
  unsigned(0x4285, 2),
])

/**
 * Writes a fragment as the producer's SDK sent it and the service hands it out again: a small Matroska document of its
 * own. KVS.md, section 6.5.
 */
export function writeChunk(camera: Camera, fragment: Fragment): Buffer {
  const tracks = tracksOf(fragment)
  const blocks = tracks
    .flatMap((track, i) => blocksOf(i + 1, fragment, track, camera.config))
    .toSorted((a, b) => a.decodedMs - b.decodedMs)
  return Buffer.concat([
    EBML,
    openEnded(SEGMENT, 8),
    info(camera, fragment),
    master(TRACKS, [
      ...tracks.map((track, i) => trackEntry(i + 1, track, camera.config)),
      ...(camera.config.silentTrack ? [silentEntry(tracks.length + 1)] : []),
    ]),
    writeTags({
      FRAGMENT_NUMBER: String(fragment.number),
      SERVER_TIMESTAMP: seconds(fragment.serverMs),
      PRODUCER_TIMESTAMP: seconds(fragment.producerMs),
    }),
    openEnded(CLUSTER, 1),
    unsigned(0xe7, Math.max(0, fragment.producerMs), 8),
    unsigned(0xa7, 0),
    ...blocks.map(({ bytes }) => bytes),
  ])
}

/** What may go wrong after the answer has begun, by AWS_KINESISVIDEO_ERROR_ID. */
const ERROR_CODES: Readonly<Record<number, string>> = {
  3000: 'FRAGMENT_NOT_FOUND',
  4500: 'KMS_KEY_ACCESS_DENIED',
  4501: 'KMS_KEY_DISABLED',
}

/** Writes what stands for a fragment that cannot be handed out. */
export function writeErrorChunk(id: number, number: string): Buffer {
  const code = ERROR_CODES[id] ?? 'INTERNAL_ERROR'
  const tags = { ERROR_CODE: code, ERROR_ID: String(id), FRAGMENT_NUMBER: number }
  return Buffer.concat([EBML, openEnded(SEGMENT, 8), writeTags(tags)])
}

function info(camera: Camera, { number }: Fragment): Buffer {
  const { counter = 0 } = decodeFragmentNumber(number) ?? {}
  return master(INFO, [
    element(0x73a4, segmentUid(camera.name, Math.floor(counter / CONNECTION))),
    unsigned(0x2ad7b1, 1_000_000, 3),
    text(0x7ba9, 'Kinesis Video SDK'),
    text(0x4d80, APPLICATION),
    text(0x5741, APPLICATION),
  ])
}

/** Returns 16 bytes that another connection has other ones of. */
function segmentUid(name: string, connection: number): Buffer {
  const uid = Buffer.alloc(16)
  for (let at = 0; at < uid.length; at += 4) uid.writeUInt32BE(hash32(name, connection, at), at)
  return uid
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(3)
}
