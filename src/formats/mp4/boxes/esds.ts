import { z } from 'zod'
import { type Box, join, payloadStart, sliceBox } from './box.ts'
import { u8, u16, u32, writeFullBox } from './fields.ts'

/** Elementary stream descriptors, of which a decoder's configuration is a part. ISO/IEC 14496-1, 7.2.6. */

/** The tags of descriptors. ISO/IEC 14496-1, table 1. */
const ELEMENTARY_STREAM = 3
const DECODER_CONFIG = 4
const DECODER_SPECIFIC_INFO = 5
const SYNC_LAYER_CONFIG = 6

/** MPEG-2 AAC of its three profiles, which is decoded as MPEG-4 audio of the same configuration. ISO/IEC 14496-1, table 5. */
const MPEG2_AAC = [0x66, 0x67, 0x68]
/** MPEG-4 audio, and the same field's mark of an audio stream. ISO/IEC 14496-1, tables 5 and 6. */
const [MPEG4_AUDIO, AUDIO_STREAM] = [0x40, 0x15]
/** The value that is predefined for MP4 files, so that nothing more is said of the sync layer. */
const SYNC_LAYER_OF_MP4 = 2

/** Checks the part of mp4box's ES_Descriptor that we use, because its own types leave it open. */
const esDescriptorSchema = z.object({
  descs: z.array(
    z.object({
      tag: z.number(),
      descs: z
        .array(z.object({ tag: z.number(), data: z.instanceof(Uint8Array).optional() }))
        .optional(),
    }),
  ),
})

/** Returns the codec's own configuration inside an esds box; undefined when there is none. */
export function decoderSpecificInfo(esDescriptor: unknown): Uint8Array | undefined {
  const parsed = esDescriptorSchema.safeParse(esDescriptor)
  const decoderConfig = parsed.data?.descs.find(({ tag }) => tag === DECODER_CONFIG)
  return decoderConfig?.descs?.find(({ tag }) => tag === DECODER_SPECIFIC_INFO)?.data
}

/** Returns an esds box that calls AAC by its name of MPEG-4, which is the one that players ask for. */
export function asMpeg4Audio(bytes: Buffer, esds: Box): Buffer {
  const own = Buffer.from(sliceBox(bytes, esds))
  const streamAt = descriptorAt(own, payloadStart(esds) - esds.start + 4, ELEMENTARY_STREAM)
  if (streamAt === undefined) return own
  const flags = own[streamAt + 2] ?? 0
  const urlAt = streamAt + 3 + ((flags & 0x80) === 0 ? 0 : 2)
  const rateAt = urlAt + ((flags & 0x40) === 0 ? 0 : 1 + (own[urlAt] ?? 0))
  const typeAt = descriptorAt(own, rateAt + ((flags & 0x20) === 0 ? 0 : 2), DECODER_CONFIG)
  if (typeAt !== undefined && MPEG2_AAC.includes(own[typeAt] ?? 0)) own[typeAt] = MPEG4_AUDIO
  return own
}

/** Returns where a descriptor's payload is, behind a length of up to four bytes; undefined when it is another. */
function descriptorAt(bytes: Buffer, at: number, tag: number): number | undefined {
  if (bytes[at] !== tag) return undefined
  let payloadAt = at + 1
  for (let i = 0; i < 3 && ((bytes[payloadAt] ?? 0) & 0x80) !== 0; i += 1) payloadAt += 1
  return payloadAt + 1
}

/**
 * Writes an esds box of MPEG-4 audio.
 * @param config an AudioSpecificConfig of fewer than 100 bytes
 */
export function writeEsds(config: Buffer): Buffer {
  const decoder = join([
    // Sizes and bit rates are not known.
    u8(MPEG4_AUDIO, AUDIO_STREAM, 0, 0, 0),
    u32(0, 0),
    writeDescriptor(DECODER_SPECIFIC_INFO, config),
  ])
  const stream = join([
    u16(1),
    u8(0),
    writeDescriptor(DECODER_CONFIG, decoder),
    writeDescriptor(SYNC_LAYER_CONFIG, u8(SYNC_LAYER_OF_MP4)),
  ])
  return writeFullBox('esds', {}, [writeDescriptor(ELEMENTARY_STREAM, stream)])
}

function writeDescriptor(tag: number, payload: Buffer): Buffer {
  return join([u8(tag, payload.length), payload])
}
