import { malformed, unsupported } from '../mp4/mp4-error.ts'
import type { AacDescription } from '../mp4/track.ts'

/** An AAC frame with its header taken off. */
export interface AdtsFrame {
  /** Where its header begins. */
  readonly at: number
  readonly data: Buffer
}

export interface AdtsStream {
  readonly description: AacDescription
  readonly frames: readonly AdtsFrame[]
}

const HEADER_BYTES = 7
const CRC_BYTES = 2
const SAMPLE_RATES = 13

/** Whether a frame's header may begin the bytes: twelve bits of syncword, a layer of 0. */
export function isAdts(bytes: Buffer): boolean {
  return bytes.length >= HEADER_BYTES && (bytes.readUInt16BE(0) & 0xfff6) === 0xfff0
}

/**
 * Frames that fill the bytes exactly, all of one configuration. ISO/IEC 14496-3, 1.A.2.
 * @throws Mp4Error
 */
export function readAdts(bytes: Buffer): AdtsStream {
  const frames: AdtsFrame[] = []
  let description: AacDescription | undefined
  for (let at = 0; at < bytes.length; ) {
    const header = readHeader(bytes, at)
    if (description !== undefined && !isSame(description, header.description)) {
      throw unsupported('an audio configuration that changes within a fragment')
    }
    description = header.description
    frames.push({ at, data: bytes.subarray(header.dataAt, header.end) })
    at = header.end
  }
  if (description === undefined) throw malformed('audio without a frame')
  return { description, frames }
}

interface Header {
  readonly description: AacDescription
  readonly dataAt: number
  readonly end: number
}

function readHeader(bytes: Buffer, at: number): Header {
  if (!isAdts(bytes.subarray(at))) throw malformed(`no audio frame begins at ${at}`)
  const fields = bytes.readUInt32BE(at + 2)
  const [objectType, frequencyIndex, channels] = [
    (fields >>> 30) + 1,
    (fields >>> 26) & 0xf,
    (fields >>> 22) & 7,
  ]
  if (frequencyIndex >= SAMPLE_RATES) throw malformed(`no sample rate has index ${frequencyIndex}`)
  if (channels === 0) throw unsupported('audio with channels of its own arrangement')
  if ((bytes.readUInt8(at + 6) & 3) !== 0) throw unsupported('several AAC frames after one header')
  const hasCrc = (bytes.readUInt8(at + 1) & 1) === 0
  const dataAt = at + HEADER_BYTES + (hasCrc ? CRC_BYTES : 0)
  const end = at + ((bytes.readUIntBE(at + 3, 3) >> 5) & 0x1fff)
  if (end <= dataAt || end > bytes.length) throw malformed(`the audio frame at ${at} is cut off`)
  return { description: { codec: 'aac', objectType, frequencyIndex, channels }, dataAt, end }
}

function isSame(a: AacDescription, b: AacDescription): boolean {
  return (
    a.objectType === b.objectType &&
    a.frequencyIndex === b.frequencyIndex &&
    a.channels === b.channels
  )
}
