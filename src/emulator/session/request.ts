import { z } from 'zod'
import { invalidArgument } from '../service/kvs-error.ts'

/** Reads epoch seconds with a fraction, as AWS's REST-JSON has them. */
const timestamp = z.number().transform((seconds) => Math.round(seconds * 1000))

const requestSchema = z.object({
  StreamName: z.string().optional(),
  StreamARN: z.string().optional(),
  PlaybackMode: z.enum(['LIVE', 'LIVE_REPLAY', 'ON_DEMAND']).default('LIVE'),
  HLSFragmentSelector: z
    .object({
      FragmentSelectorType: z.enum(['SERVER_TIMESTAMP', 'PRODUCER_TIMESTAMP']).optional(),
      TimestampRange: z
        .object({ StartTimestamp: timestamp.optional(), EndTimestamp: timestamp.optional() })
        .optional(),
    })
    .optional(),
  ContainerFormat: z.enum(['FRAGMENTED_MP4', 'MPEG_TS']).default('FRAGMENTED_MP4'),
  DiscontinuityMode: z.enum(['ALWAYS', 'NEVER', 'ON_DISCONTINUITY']).optional(),
  DisplayFragmentTimestamp: z.enum(['ALWAYS', 'NEVER']).default('NEVER'),
  Expires: z.int().max(43_200).default(300),
  MaxMediaPlaylistFragmentResults: z.int().min(1).max(5000).optional(),
})

const DAY_MS = 86_400_000

/** What GetHLSStreamingSessionURL was asked for, with its defaults filled in. */
export interface SessionRequest {
  readonly mode: 'LIVE' | 'LIVE_REPLAY' | 'ON_DEMAND'
  readonly selector: 'SERVER_TIMESTAMP' | 'PRODUCER_TIMESTAMP'
  readonly range: { readonly startMs: number; readonly endMs: number | undefined } | undefined
  readonly container: 'FRAGMENTED_MP4' | 'MPEG_TS'
  readonly discontinuity: 'ALWAYS' | 'NEVER' | 'ON_DISCONTINUITY'
  readonly timestamps: boolean
  readonly expiresSeconds: number
  readonly maxFragments: number
}

export interface RequestLimits {
  readonly nowMs: number
  readonly minExpires: number
  readonly oldestMs: number
}

/** Reads and checks a request body. Throws InvalidArgumentException. KVS.md, section 6.3. */
export function readSessionRequest(body: unknown, limits: RequestLimits): SessionRequest {
  const parsed = requestSchema.safeParse(body)
  if (!parsed.success) throw invalidArgument(firstIssue(parsed.error))
  const { data } = parsed
  if (data.Expires < limits.minExpires) {
    throw invalidArgument(`Expires must be at least ${limits.minExpires} seconds.`)
  }
  const type = data.HLSFragmentSelector?.FragmentSelectorType
  if (data.PlaybackMode !== 'LIVE' && type === undefined) {
    throw invalidArgument(`FragmentSelectorType is required for ${data.PlaybackMode}.`)
  }
  const selector = type ?? 'SERVER_TIMESTAMP'
  return {
    mode: data.PlaybackMode,
    selector,
    range: readRange(data, selector, limits),
    container: data.ContainerFormat,
    discontinuity: data.DiscontinuityMode ?? (selector === 'SERVER_TIMESTAMP' ? 'ALWAYS' : 'NEVER'),
    timestamps: data.DisplayFragmentTimestamp === 'ALWAYS',
    expiresSeconds: data.Expires,
    maxFragments:
      data.MaxMediaPlaylistFragmentResults ?? (data.PlaybackMode === 'ON_DEMAND' ? 1000 : 5),
  }
}

function readRange(
  data: z.output<typeof requestSchema>,
  selector: SessionRequest['selector'],
  limits: RequestLimits,
): SessionRequest['range'] {
  const range = data.HLSFragmentSelector?.TimestampRange
  if (data.PlaybackMode === 'LIVE') {
    if (range === undefined) return undefined
    throw invalidArgument('TimestampRange must not be specified for LIVE.')
  }
  if (range?.StartTimestamp === undefined) {
    throw invalidArgument(`StartTimestamp is required for ${data.PlaybackMode}.`)
  }
  if (range.EndTimestamp === undefined && data.PlaybackMode === 'ON_DEMAND') {
    throw invalidArgument('EndTimestamp is required for ON_DEMAND.')
  }
  const checked = { startMs: range.StartTimestamp, endMs: range.EndTimestamp }
  if (checked.endMs !== undefined) checkEnd(checked.startMs, checked.endMs, selector, limits)
  if (selector === 'SERVER_TIMESTAMP' && checked.startMs < limits.oldestMs) {
    throw invalidArgument('StartTimestamp is before the oldest data of the stream.')
  }
  return checked
}

function checkEnd(
  startMs: number,
  endMs: number,
  selector: SessionRequest['selector'],
  { nowMs }: RequestLimits,
): void {
  if (endMs <= startMs) throw invalidArgument('EndTimestamp must be after StartTimestamp.')
  if (endMs - startMs > DAY_MS) {
    throw invalidArgument('EndTimestamp must be within 24 hours of StartTimestamp.')
  }
  if (selector === 'SERVER_TIMESTAMP' && endMs >= nowMs) {
    throw invalidArgument('EndTimestamp must be in the past.')
  }
}

function firstIssue(error: z.ZodError): string {
  const [issue] = error.issues
  return `Invalid value for ${issue?.path.join('.') ?? 'the request'}: ${issue?.message ?? ''}`
}
