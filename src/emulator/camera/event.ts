import { z } from 'zod'
import { CLIP_NAMES } from '../media/clip.ts'

/** How many fragments after its original a copy may arrive. */
export const LONGEST_LAG = 100

const count = z.int().min(1).max(1000).default(1)
const longCount = z.int().min(1).max(100_000).default(1)
const every = z.int().min(1).max(1000).default(1)
/** How late the producer's uplink may make a fragment. */
export const MOST_BACKLOG_MS = 10_000
/** A century: a producer may count from its start. */
const MOST_SKEW_MS = 36_525 * 86_400_000

/**
 * Something that happens to a camera once. Each takes effect with the fragment that the producer is
 * making at the time, never on one that is already complete.
 */
export const eventSchema = z.discriminatedUnion('type', [
  z
    .strictObject({ type: z.literal('drop'), count: longCount, every })
    .describe('Of the next `count` fragments the first of each `every` never arrives.'),
  z
    .strictObject({
      type: z.literal('duplicate'),
      count,
      lag: z.int().min(0).max(LONGEST_LAG).default(0),
    })
    .describe('The next fragments arrive again, `lag` fragments later, under a greater number.'),
  z
    .strictObject({ type: z.literal('overlap'), count, ms: z.int().min(1).max(20_000) })
    .describe('The next fragments claim to start `ms` earlier, into their predecessor.'),
  z
    .strictObject({ type: z.literal('late'), count, ms: z.int().min(1).max(600_000) })
    .describe('The next fragments become visible `ms` late, behind newer ones.'),
  z
    .strictObject({
      type: z.literal('giant'),
      count,
      bytes: z.int().min(1).max(100_000_000).default(50_000_000),
    })
    .describe('The next fragments hold `bytes` or a little more: filler data in their pictures.'),
  z
    .strictObject({ type: z.literal('skew'), ms: z.int().min(-MOST_SKEW_MS).max(MOST_SKEW_MS) })
    .describe('The producer’s clock jumps by `ms` and stays there; jumps add up.'),
  z
    .strictObject({ type: z.literal('drift'), ppm: z.int().min(-100_000).max(100_000) })
    .describe(
      'From now on the producer’s clock runs fast by `ppm` millionths; until the next drift.',
    ),
  z
    .strictObject({
      type: z.literal('alternate'),
      count: z.int().min(1).max(10_000).default(1000),
      every,
      ms: z.int().min(-86_400_000).max(86_400_000),
    })
    .describe(
      'For `count` fragments two producers take turns of `every`: the other one’s clock is `ms` off, with its own connection and codec private data.',
    ),
  z
    .strictObject({
      type: z.literal('codec-private-data'),
      changes: z.int().min(1).max(100_000).default(1),
      every,
    })
    .describe(
      'The encoder restarts with the clip’s other codec private data: now, and so many `changes` in all, one `every` so many fragments.',
    ),
  z
    .strictObject({ type: z.literal('clip'), clip: z.enum(CLIP_NAMES) })
    .describe('With the next whole fragment the producer restarts and sends another clip.'),
  z
    .strictObject({ type: z.literal('tracks'), video: z.boolean(), audio: z.boolean() })
    .refine(({ video, audio }) => video || audio, 'a stream has at least one track')
    .describe('From now on only these tracks are sent.'),
  z.strictObject({ type: z.literal('stop') }).describe('The producer stops.'),
  z
    .strictObject({ type: z.literal('resume') })
    .describe('The producer comes back with the next whole fragment, on a new connection.'),
  z
    .strictObject({
      type: z.literal('reconnect'),
      count: z.int().min(1).max(10_000).default(1),
      every,
    })
    .describe(
      'A new connection without a pause, at the first of each `every` of `count` fragments.',
    ),
  z
    .strictObject({
      type: z.literal('congested'),
      count: longCount,
      growMs: z.int().min(1).max(MOST_BACKLOG_MS),
      untilMs: z.int().min(1).max(MOST_BACKLOG_MS),
    })
    .describe(
      'Each of the next fragments arrives `growMs` later after its making than the one before; at `untilMs` the producer throws away what has piled up, and begins anew.',
    ),
  z
    .strictObject({
      type: z.literal('timing'),
      ingestLatencyMs: z.int().min(0).max(5000),
      ingestJitterMs: z.int().min(0).max(5000),
      serverJitterMs: z.int().min(0).max(1000),
    })
    .describe('How long ingestion takes from now on.'),
])

export type CameraEvent = z.output<typeof eventSchema>
export type CameraEventType = CameraEvent['type']

/** An event and the fragments that it touches: slots `from` ≤ k < `to`. */
export interface PlacedEvent {
  readonly event: CameraEvent
  /** When it was put in force, in milliseconds since 1970. */
  readonly atMs: number
  readonly from: number
  readonly to: number
}
