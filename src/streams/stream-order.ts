import { z } from 'zod'

/** What operators want done to a stream that is not this node's affair alone, as nodes tell it to each other. */
export const streamOrder = z.discriminatedUnion('order', [
  z.strictObject({ order: z.enum(['rollover', 'handover', 'stop']) }),
  z.strictObject({ order: z.literal('source'), source: z.enum(['camera', 'backup', 'auto']) }),
])

export type StreamOrder = Readonly<z.infer<typeof streamOrder>>
