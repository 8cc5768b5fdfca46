import { z } from 'zod'

const time = z.iso.datetime().describe('ISO 8601, UTC')
const count = z.number().int().nonnegative()
const traffic = z.object({ requests: count, bytes: count })

export const sourceNames = z.enum(['camera', 'backup', 'slate'])

/** What the admin API tells of a stream. It is public, so it grows, but what is there does not change. */
export const streamStatus = z.object({
  name: z.string(),
  state: z.enum(['idle', 'starting', 'live', 'stale', 'slate', 'offline', 'ended', 'failed']),
  reason: z.string().nullable().describe('An error code that explains the state'),
  activation: z.enum(['on-demand', 'always']),
  dynamic: z.boolean().describe('Exists by a pattern of dynamicStreams, made on request'),
  source: sourceNames.nullable().describe('Who makes what is shown now; null while nothing is'),
  forced: z
    .enum(['camera', 'backup'])
    .nullable()
    .describe('The source that an operator has ordered'),
  backup: z.boolean().describe('Has a backup, so that there is a source to choose'),
  session: z
    .object({
      openedAt: time,
      expiresAt: time.nullable().describe('Null: it does not expire'),
      rollovers: count,
    })
    .nullable()
    .describe('The session of the source that is in use'),
  owner: z
    .string()
    .nullable()
    .describe('The node that owns it; null where there is but one node, or nobody wants it'),
  sessionsOpen: count.describe(
    'Of all sources; 2 for a moment while one session takes over from another',
  ),
  lastFragment: z
    .object({
      number: z.string().describe('FragmentNumber'),
      producedAt: time,
      receivedAt: time,
    })
    .nullable(),
  mediaSequence: count,
  discontinuitySequence: count,
  dvr: z
    .object({ seconds: z.number().nonnegative(), segments: count, bytes: count })
    .nullable()
    .describe('How much of the past dvr.m3u8 lists; null where it is not kept'),
  viewers: count,
  upstream: traffic,
  downstream: traffic,
  spentUsd: z
    .number()
    .nonnegative()
    .describe('What KVS charges for what was read; 0 for other origins'),
  savedUsd: z.number().nonnegative().describe('KVS charges saved; 0 for other origins'),
  quota: z
    .object({ metadata: z.number().nonnegative(), media: z.number().nonnegative() })
    .nullable()
    .describe(
      'Used share of the KVS points that this stream may take, 1 is all of it; null for other origins',
    ),
})

export type StreamStatus = z.infer<typeof streamStatus>
