import { z } from 'zod'

/** Descriptor tags. ISO/IEC 14496-1, table 1. */
const DECODER_CONFIG = 4
const DECODER_SPECIFIC_INFO = 5

/** The part of mp4box's ES_Descriptor that we use; its own types leave it open. */
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

/** The codec's own configuration inside an esds box; undefined when there is none. */
export function decoderSpecificInfo(esDescriptor: unknown): Uint8Array | undefined {
  const parsed = esDescriptorSchema.safeParse(esDescriptor)
  const decoderConfig = parsed.data?.descs.find(({ tag }) => tag === DECODER_CONFIG)
  return decoderConfig?.descs?.find(({ tag }) => tag === DECODER_SPECIFIC_INFO)?.data
}
