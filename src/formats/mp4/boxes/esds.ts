import { z } from 'zod'
import { join } from './box.ts'
import { u8, u16, u32, writeFullBox } from './fields.ts'

/** Elementary stream descriptors, of which a decoder's configuration is a part. ISO/IEC 14496-1, 7.2.6. */

/** The tags of descriptors. ISO/IEC 14496-1, table 1. */
const ELEMENTARY_STREAM = 3
const DECODER_CONFIG = 4
const DECODER_SPECIFIC_INFO = 5
const SYNC_LAYER_CONFIG = 6

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
