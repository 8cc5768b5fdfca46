import type { Fragment } from '../camera/fragment.ts'
import type { CameraConfig } from '../config.ts'
import type { ClipTrack } from '../media/clip.ts'
import { samplesOf } from '../media/fragment-media.ts'
import { placeTicks } from '../media/place-ticks.ts'
import type { Sample } from '../mp4/sample.ts'
import { writeAccessUnit } from '../mpegts/access-unit.ts'
import { element } from './ebml.ts'
import { TELEPHONE_RATE } from './track-entry.ts'

const SIMPLE_BLOCK = 0xa3
const SIZE_BYTES = 8
const KEY_FLAG = 0x80
/** A cluster holds no more, and KVS takes no fragment that long. */
const LAST_MS = 2 ** 15 - 1

export interface Block {
  /** When its frame is decoded: by this, frames of all tracks are laid in one row. */
  readonly decodedMs: number
  readonly bytes: Buffer
}

/** Writes the frames of a track, in the order of decoding, stamped with when they are shown. */
export function blocksOf(
  number: number,
  fragment: Fragment,
  track: ClipTrack,
  config: CameraConfig,
): readonly Block[] {
  let ticks = firstTicks(fragment, track)
  const offsetMs = track.kind === 'audio' ? config.soundOffsetMs : 0
  return samplesOf(fragment, track).map((sample) => {
    const decodedMs = (1000 * ticks) / track.timescale + offsetMs
    const laterMs = (1000 * sample.compositionOffset) / track.timescale
    ticks += sample.duration
    const atMs = Math.min(LAST_MS, Math.round(decodedMs + laterMs))
    return { decodedMs, bytes: block(number, atMs, sample.sync, frame(track, sample, config)) }
  })
}

/** Returns when the first frame is decoded, so that the clip's first is shown at its fragment's start. */
function firstTicks(fragment: Fragment, track: ClipTrack): number {
  if (track.kind === 'audio') return placeTicks(fragment, track) - track.offsetTicks
  return -(track.fragments[0]?.[0]?.compositionOffset ?? 0)
}

function block(number: number, atMs: number, isKey: boolean, data: Buffer): Buffer {
  const head = Buffer.alloc(4)
  head.writeUInt8(0x80 | number)
  head.writeInt16BE(atMs, 1)
  head.writeUInt8(isKey ? KEY_FLAG : 0, 3)
  return element(SIMPLE_BLOCK, Buffer.concat([head, data]), SIZE_BYTES)
}

function frame(track: ClipTrack, sample: Sample, config: CameraConfig): Buffer {
  if (track.kind === 'audio') return soundFrame(track, sample, config)
  const { codecPrivateData } = config
  return codecPrivateData === 'annex-b' ? writeAccessUnit(track.entry, sample) : sample.data
}

/** Returns a frame of AAC, or silence as long in a codec of the telephone. */
function soundFrame(track: ClipTrack, sample: Sample, { soundCodec }: CameraConfig): Buffer {
  const length = Math.round((sample.duration * TELEPHONE_RATE) / track.timescale)
  switch (soundCodec) {
    case 'aac':
      return sample.data
    case 'a-law':
      return Buffer.alloc(length, 0xd5)
    case 'mu-law':
      return Buffer.alloc(length, 0xff)
    case 'pcm':
      return Buffer.alloc(2 * length)
  }
}
