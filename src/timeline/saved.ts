/**
 * Writes a timeline as JSON, so that a restart or another node goes on where this one stopped. Numbers beyond 2^53
 * travel as strings, "undefined" as null.
 */
import { z } from 'zod'
import { VIDEO_RANGES } from '../formats/mp4/video-range.ts'
import type { Cursor } from './cursor.ts'
import type { DiscontinuityCause, Segment } from './fragment.ts'
import type { PlacedName } from './identity.ts'
import { MAX_RECENT, type TimelineState } from './state.ts'
import { MAX_LISTED } from './window.ts'

const FORMAT = 1

/** Beyond this no player counts, and nothing of ours does before 2038. */
const LARGEST_NUMBER = 2 ** 31 - 1
/** Milliseconds since 1970: some time after the year 2200. Durations are bounded by their place in the list. */
const LATEST_MS = 2 ** 43
const LONGEST_MS = 86_400_000

export const count = z.number().int().nonnegative()
/** An MSN, a DSN, or how many there are of something. */
const number = count.max(LARGEST_NUMBER)
export const ms = z.number().nonnegative().max(LATEST_MS)
export const duration = z.number().nonnegative().max(LONGEST_MS)
const bigNumber = z
  .string()
  .regex(/^\d{1,128}$/)
  .transform(BigInt)

/** Accepts null for what was undefined. */
function maybe<T extends z.ZodType>(type: T) {
  return type.nullable().transform((value): z.output<T> | undefined => value ?? undefined)
}

export const CAUSES = [
  'gap',
  'overlap',
  'init',
  'tracks',
  'renumbered',
  'source',
  'upstream',
] as const satisfies [DiscontinuityCause, ...DiscontinuityCause[]]

/**
 * Defaults to the camera, because timelines that were saved before there were other sources hold cameras' fragments
 * only.
 */
const sourceSchema = z.enum(['camera', 'backup', 'slate']).default('camera')

const initSchema = z.object({
  id: z.string().min(1),
  rendition: z.enum(['video', 'audio']),
  codec: z.string().min(1),
  timescale: count.positive(),
  trackId: count,
  sourceTimescale: count.exactOptional(),
  video: z.object({ width: count, height: count }).exactOptional(),
  videoRange: z.enum(VIDEO_RANGES).exactOptional(),
  audio: z.object({ channels: count, sampleRate: z.number() }).exactOptional(),
  sampleDefaults: z.object({ duration: count, size: count, flags: count }).exactOptional(),
})

const keySchema = z.object({
  method: z.string(),
  id: z.string().optional(),
  uri: z.string().optional(),
  iv: z.string().optional(),
  keyFormat: z.string().optional(),
  keyFormatVersions: z.string().optional(),
})

const opaqueSchema = z.object({
  container: z.enum(['m4s', 'ts', 'aac']),
  keys: z.array(keySchema).max(16).readonly(),
  mapKeys: z.array(keySchema).max(16).readonly(),
})

export const tracksOf = <T extends z.ZodType>(track: T) =>
  z.object({ video: track.exactOptional(), audio: track.exactOptional() })

/** What is kept of a segment wherever one is, without its tracks. */
export const segmentFields = {
  /** Segments that were inserted are named from 2^40 up. */
  msn: count.max(2 ** 41),
  dsn: number,
  source: sourceSchema,
  number: bigNumber,
  discontinuity: maybe(z.enum(CAUSES)),
  startMs: ms,
  durationMs: duration,
  receivedMs: ms,
  dependent: z.literal(true).exactOptional(),
  captions: z.boolean().exactOptional(),
}

/** What is kept of a track, without its init segment and its name. */
export const trackFields = {
  baseTicks: count,
  durationTicks: count,
  samples: count,
  bytes: count,
}

const segmentSchema = z.object({
  ...segmentFields,
  msn: number,
  tracks: tracksOf(
    z.object({
      init: initSchema,
      ...trackFields,
      opaque: opaqueSchema.optional(),
      id: z.string().min(1),
    }),
  ),
})

const cursorSchema = z.object({
  source: maybe(z.enum(['camera', 'backup', 'slate'])).default('camera'),
  number: bigNumber,
  startMs: maybe(ms),
  durationMs: duration,
  tracks: tracksOf(
    z.object({
      initId: z.string(),
      codec: z.string(),
      timescale: count.positive(),
      sourceBaseTicks: z.number().int(),
      sourceEndTicks: z.number().int(),
      outEndTicks: count,
      steps: z
        .object({
          lastTicks: count,
          shortestTicks: count,
          longestTicks: count,
          shrinkableTicks: count,
        })
        .exactOptional(),
    }),
  ),
})

const originSchema = z.string().min(1).max(128)

const savedSchema = z.object({
  format: z.literal(FORMAT),
  version: count,
  nextMsn: maybe(number),
  dsn: number,
  longestFragmentMs: duration,
  targetDuration: maybe(count.positive().max(LONGEST_MS / 1000)),
  window: z.object({
    listed: z.array(segmentSchema).max(MAX_LISTED),
    retired: z.array(z.object({ segment: segmentSchema, retiredMs: ms })).max(MAX_LISTED),
    longestMs: duration,
  }),
  /** Not in timelines that were saved before sources could change. */
  origins: z
    .object({ camera: originSchema.exactOptional(), backup: originSchema.exactOptional() })
    .default({}),
  recent: z
    .array(z.object({ source: sourceSchema, number: bigNumber, startMs: maybe(z.number()) }))
    .max(2 * MAX_RECENT),
  cursor: maybe(cursorSchema),
  /** Defaults to false, because it is not in timelines that were saved before streams could end. */
  ended: z.boolean().default(false),
})

/** What {@link saveState} makes: plain JSON. */
export type SavedTimeline = z.input<typeof savedSchema>

export function saveState(state: TimelineState): SavedTimeline {
  const { window } = state
  return {
    format: FORMAT,
    version: state.version,
    nextMsn: state.nextMsn ?? null,
    dsn: state.dsn,
    longestFragmentMs: state.longestFragmentMs,
    targetDuration: state.targetDuration ?? null,
    window: {
      listed: window.listed.map(saveSegment),
      retired: window.retired.map(({ segment, retiredMs }) => ({
        segment: saveSegment(segment),
        retiredMs,
      })),
      longestMs: window.longestMs,
    },
    origins: { ...state.origins },
    recent: state.recent.map(saveName),
    cursor: state.cursor === undefined ? null : saveCursor(state.cursor),
    ended: state.ended,
  }
}

/**
 * Reads the state that was saved.
 * @throws Error saying what is wrong when it was not saved by this version, or was damaged since
 */
export function restoreState(saved: unknown): TimelineState {
  const result = savedSchema.safeParse(saved)
  if (!result.success) throw new Error(`cannot restore the timeline: ${problem(result.error)}`)
  const state = result.data
  checkConsistent(state)
  return {
    ...state,
    recent: state.recent.map((name) => ({ ...name, timeBase: undefined })),
    // The bases of the process that saved it mean nothing in this one.
    cursor: state.cursor === undefined ? undefined : { ...state.cursor, timeBase: undefined },
  }
}

function problem({ issues: [issue] }: z.ZodError): string {
  if (issue?.path[0] === 'format') return `expected format ${FORMAT}`
  return `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'invalid'}`
}

/**
 * Checks values against each other, because the schema sees each by itself and numbers that contradict each other would
 * break G1.
 */
function checkConsistent({ nextMsn, window }: z.output<typeof savedSchema>): void {
  const { listed } = window
  const consecutive = listed.every(({ msn }, i) => msn === (listed[0]?.msn ?? 0) + i)
  const last = listed.at(-1)
  if (!consecutive || (last !== undefined && last.msn + 1 !== nextMsn)) {
    throw new Error('cannot restore the timeline: its sequence numbers have holes')
  }
}

function saveSegment(segment: Segment): z.input<typeof segmentSchema> {
  const { number, discontinuity, tracks, ...rest } = segment
  return {
    ...rest,
    number: String(number),
    discontinuity: discontinuity ?? null,
    tracks: { ...tracks },
  }
}

function saveName({ source, number, startMs }: PlacedName): SavedTimeline['recent'][number] {
  return { source, number: String(number), startMs: startMs ?? null }
}

function saveCursor(cursor: Cursor): SavedTimeline['cursor'] {
  const { source, number, startMs, durationMs, tracks } = cursor
  return {
    source: source ?? null,
    number: String(number),
    startMs: startMs ?? null,
    durationMs,
    tracks: { ...tracks },
  }
}
