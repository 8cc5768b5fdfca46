import { findBox } from '../mp4/box.ts'

const AUDIO_ENTRY_BYTES = 28
const ES_DESCRIPTOR_BYTES = 3
const DECODER_CONFIG_BYTES = 13

/** Puts the ADTS header in front of an AAC frame. ISO/IEC 13818-7, section 6.2. */
export function writeAdts(config: AacConfig, frame: Buffer): Buffer {
  const length = 7 + frame.length
  const { objectType, frequencyIndex, channels } = config
  const header = Buffer.from([
    0xff,
    0xf1,
    ((objectType - 1) << 6) | (frequencyIndex << 2) | (channels >> 2),
    ((channels & 3) << 6) | (length >> 11),
    (length >> 3) & 0xff,
    ((length & 7) << 5) | 0x1f,
    0xfc,
  ])
  return Buffer.concat([header, frame])
}

export interface AacConfig {
  readonly objectType: number
  readonly frequencyIndex: number
  readonly channels: number
}

/** Finds the AudioSpecificConfig of an `mp4a` entry. */
export function readAudioSpecificConfig(entryBody: Buffer): Buffer {
  const esds = findBox(entryBody.subarray(AUDIO_ENTRY_BYTES), 'esds').subarray(4)
  const stream = readDescriptor(esds, 0x03).subarray(ES_DESCRIPTOR_BYTES)
  const decoder = readDescriptor(stream, 0x04).subarray(DECODER_CONFIG_BYTES)
  return readDescriptor(decoder, 0x05)
}

/** Reads the AudioSpecificConfig of an `mp4a` entry. ISO/IEC 14496-3, section 1.6.2.1. */
export function readAacConfig(entryBody: Buffer): AacConfig {
  const bits = readAudioSpecificConfig(entryBody).readUInt16BE()
  return {
    objectType: bits >> 11,
    frequencyIndex: (bits >> 7) & 0xf,
    channels: (bits >> 3) & 0xf,
  }
}

/** Finds a descriptor, whose length comes in groups of seven bits. ISO/IEC 14496-1, section 8.3.3. */
function readDescriptor(bytes: Buffer, tag: number): Buffer {
  if (bytes[0] !== tag) throw new RangeError(`expected descriptor ${tag}, got ${bytes[0]}`)
  let length = 0
  for (let at = 1; ; at += 1) {
    const byte = bytes.readUInt8(at)
    length = length * 128 + (byte & 0x7f)
    if (byte < 0x80) return bytes.subarray(at + 1, at + 1 + length)
  }
}
