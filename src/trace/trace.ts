/**
 * What the doctor saw of streams, as `doctor --trace` writes it and `emulator --replay` plays it. It holds neither names,
 * hosts, accounts and tokens nor media, of which only sizes and structure are told.
 */
import { z } from 'zod'

/** Raised with each change that an older reader could misunderstand. */
export const TRACE_VERSION = 1

const millis = z.number()
const count = z.int().min(0)
const text = z.string().max(2000)
const word = z.string().max(200)

/** What was wrong with a call: what KVS said, or why nothing came. */
const faultSchema = z.strictObject({
  name: word.describe('The exception, or the code of a socket’s error: `ECONNREFUSED`.'),
  message: text.describe('What it said, redacted.'),
  action: word
    .optional()
    .describe('The IAM action that is missing: `kinesisvideo:DescribeStream`.'),
  crossAccount: z
    .boolean()
    .optional()
    .describe('Whether the stream belongs to another account than who asked.'),
})

/** One call, in the order in which they were made. */
const callSchema = z.strictObject({
  operation: word.describe('As KVS names it: `GetDataEndpoint`, `GetHLSMediaPlaylist`.'),
  detail: word.optional().describe('What it was asked for: an APIName, or a track.'),
  atMs: millis.describe('When it was sent, since the doctor began.'),
  tookMs: millis,
  status: z.int().optional().describe('The HTTP status; absent where nothing was answered.'),
  aheadMs: millis.optional().describe('How far the answer’s Date is ahead of this machine’s.'),
  headers: z
    .record(word, word)
    .optional()
    .describe('Header fields of a session’s answer, of those that tell nothing about who asked.'),
  bytes: count.optional().describe('Of body.'),
  fault: faultSchema.optional(),
})

/** How a host was found. */
const hostSchema = z.strictObject({
  kind: z.enum(['aws', 'fips', 'dual-stack', 'other']).describe('By its name; other: an override.'),
  ipv4: count.describe('How many addresses its name has of this family.'),
  ipv6: count,
  isPrivate: z.boolean().describe('Whether one of them is private: PrivateLink, or this machine.'),
  viaProxy: z.boolean(),
  fault: faultSchema.optional().describe('Why its name was not found.'),
})

const credentialsSchema = z.strictObject({
  kind: z.enum(['long-lived', 'temporary']),
  role: z.boolean().describe('Whether a role is assumed for the stream.'),
  leftMs: millis.optional().describe('How long until they expire.'),
})

/** DescribeStream’s answer, without what names somebody. */
const describedSchema = z.strictObject({
  status: word,
  retentionHours: z.number(),
  createdMs: millis.optional(),
  mediaType: word.optional().describe('The creator’s hint, which may be wrong.'),
  ownKey: z.boolean().describe('Whether it is encrypted with a key of the account’s own.'),
})

/** A fragment as ListFragments tells of it. */
const storedSchema = z.strictObject({
  number: z.string().regex(/^\d{1,128}$/),
  producerMs: millis,
  serverMs: millis,
  lengthMs: millis,
  bytes: count,
})

const listingSchema = z.strictObject({
  startMs: millis.describe('The range that was asked for, by server time.'),
  endMs: millis,
  isWhole: z.boolean().describe('Whether there was no further page.'),
  fragments: z.array(storedSchema).max(1000),
})

/** A track as a fragment’s own Matroska head declares it. */
const matroskaTrackSchema = z.strictObject({
  number: count,
  type: z.enum(['video', 'audio', 'other']),
  codecId: word,
  privateBytes: count.describe('Of CodecPrivate; 0 where there is none.'),
  startCode: z.boolean().describe('Whether CodecPrivate begins with an Annex B start code.'),
  blocks: z
    .array(
      z.strictObject({
        atMs: millis.describe('Since the cluster began.'),
        bytes: count,
        isKey: z.boolean(),
        startCode: z.boolean(),
      }),
    )
    .max(4000),
})

/** One fragment as GetMediaForFragmentList sends it. */
const matroskaSchema = z.strictObject({
  number: z.string().regex(/^\d{1,128}$/),
  errorId: z.int().optional().describe('AWS_KINESISVIDEO_ERROR_ID.'),
  tracks: z.array(matroskaTrackSchema).max(8),
})

/** A box and those in it. */
export interface BoxShape {
  readonly type: string
  readonly size: number
  readonly children?: readonly BoxShape[] | undefined
}

const boxSchema: z.ZodType<BoxShape> = z.strictObject({
  type: z.string().max(4),
  size: count,
  get children() {
    return z.array(boxSchema).max(4096).optional()
  },
})

const initSchema = z.strictObject({
  boxes: z.array(boxSchema).max(64),
  rendition: z.enum(['video', 'audio']).optional().describe('Absent where it could not be read.'),
  codec: word.optional(),
  timescale: z.number().optional(),
  trackId: count.optional(),
  width: count.optional(),
  height: count.optional(),
  sampleRate: z.number().optional(),
  channels: z.number().optional(),
  problem: text.optional().describe('Why it could not be read.'),
})

const mediaSchema = z.strictObject({
  number: z
    .string()
    .regex(/^\d{1,128}$/)
    .optional(),
  bytes: count,
  boxes: z.array(boxSchema).max(256),
  baseTicks: z.number().optional().describe('`tfdt`, of the first sample.'),
  durationTicks: z.number().optional(),
  samples: count.optional(),
  syncAtMs: z
    .array(millis)
    .max(1000)
    .optional()
    .describe('When decoding can begin, since its start.'),
  problem: text.optional(),
})

const playlistSchema = z.strictObject({
  atMs: millis.describe('Since the doctor began.'),
  text: z.string().max(2_000_000).describe('As it came, with what is secret in its URIs masked.'),
})

/** A session’s tracks, or an origin’s playlists. */
const renditionSchema = z.strictObject({
  name: z.enum(['video', 'audio', 'muxed']),
  playlists: z.array(playlistSchema).max(8),
  inits: z.array(initSchema).max(4),
  media: z.array(mediaSchema).max(4),
})

const sessionSchema = z.strictObject({
  master: playlistSchema.optional(),
  renditions: z.array(renditionSchema).max(3),
})

const kvsSettingsSchema = z.strictObject({
  identity: z.enum(['name', 'arn']),
  region: word.nullable(),
  fragmentSelectorType: z.enum(['PRODUCER_TIMESTAMP', 'SERVER_TIMESTAMP']),
  containerFormat: z.enum(['FRAGMENTED_MP4', 'MPEG_TS']),
  discontinuityMode: z.enum(['ALWAYS', 'NEVER', 'ON_DISCONTINUITY']),
  expiresS: z.number(),
  fragmentResults: count,
})

const useSchema = z.strictObject({
  always: z.boolean().describe('Whether it runs without viewers.'),
  dvrMs: millis,
  archive: z.boolean().describe('Whether viewers may ask for the past.'),
  usdPerGb: z.number().optional().describe('What is paid for a GB, where the list’s price is not.'),
})

const kvsObservationsSchema = z.strictObject({
  kind: z.literal('kvs'),
  takenMs: millis.describe('When the look began, by this machine, since 1970.'),
  settings: kvsSettingsSchema,
  use: useSchema,
  proxy: z.boolean().describe('Whether a proxy is configured for https.'),
  credentials: credentialsSchema.optional(),
  control: hostSchema.optional(),
  data: hostSchema.optional(),
  described: describedSchema.optional(),
  elsewhere: z.array(word).max(40).optional().describe('Regions that know the stream instead.'),
  tier: word.optional(),
  listing: listingSchema.optional(),
  recorded: z.boolean().optional().describe('Whether anything was recorded within its retention.'),
  matroska: z
    .array(matroskaSchema)
    .max(2)
    .optional()
    .describe('The newest fragment, and the oldest that was listed.'),
  session: sessionSchema.optional(),
  isCut: z.boolean().describe('Whether time ran out before all was looked at.'),
  calls: z.array(callSchema).max(200),
})

const hlsObservationsSchema = z.strictObject({
  kind: z.literal('hls'),
  takenMs: millis,
  use: useSchema,
  proxy: z.boolean(),
  session: sessionSchema.optional(),
  isCut: z.boolean().describe('Whether time ran out before all was looked at.'),
  calls: z.array(callSchema).max(200),
})

export const observationsSchema = z.discriminatedUnion('kind', [
  kvsObservationsSchema,
  hlsObservationsSchema,
])

export const traceSchema = z.strictObject({
  trace: z.literal(TRACE_VERSION),
  program: word.describe('The version of kvs-hls-gateway that wrote it.'),
  streams: z
    .array(z.strictObject({ name: word, observations: observationsSchema }))
    .max(1000)
    .describe('By stand-ins for names: stream-1, stream-2, …'),
})

export type Fault = z.infer<typeof faultSchema>
export type Call = z.infer<typeof callSchema>
export type HostLook = z.infer<typeof hostSchema>
export type CredentialsLook = z.infer<typeof credentialsSchema>
export type DescribedStream = z.infer<typeof describedSchema>
export type ListedFragments = z.infer<typeof listingSchema>
export type MatroskaFragment = z.infer<typeof matroskaSchema>
export type MatroskaTrack = z.infer<typeof matroskaTrackSchema>
export type InitLook = z.infer<typeof initSchema>
export type MediaLook = z.infer<typeof mediaSchema>
export type PlaylistLook = z.infer<typeof playlistSchema>
export type RenditionLook = z.infer<typeof renditionSchema>
export type SessionLook = z.infer<typeof sessionSchema>
export type StreamUse = z.infer<typeof useSchema>
export type KvsObservations = z.infer<typeof kvsObservationsSchema>
export type HlsObservations = z.infer<typeof hlsObservationsSchema>
export type Observations = z.infer<typeof observationsSchema>
export type Trace = z.infer<typeof traceSchema>
