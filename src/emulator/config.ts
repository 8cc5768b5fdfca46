import { z } from 'zod'
import { eventSchema } from './camera/event.ts'
import { CLIP_NAMES } from './media/clip.ts'
import { ACTIONS, DENIED_BY } from './service/denial.ts'
import { faultSchema } from './service/fault.ts'

/** A century: a producer may count from its start. */
const FARTHEST_MS = 36_525 * 86_400_000
const millis = z.int().min(0)
export const streamName = z.string().regex(/^[a-zA-Z0-9_.-]{1,256}$/)

/** The limits per second that KVS has. KVS.md, section 10. */
const quotasSchema = z.strictObject({
  enforced: z.boolean().default(true).describe('Off: calls are counted but never refused.'),
  status: z
    .union([z.literal(400), z.literal(429)])
    .default(400)
    .describe('HTTP status of a refusal.'),
  getDataEndpoint: z.int().min(0).default(5).describe('Calls per second and stream.'),
  describeStream: z.int().min(0).default(5).describe('Calls per second and stream.'),
  getHlsStreamingSessionUrl: z.int().min(0).default(25).describe('Calls per second and stream.'),
  listFragments: z.int().min(0).default(5).describe('Calls per second and stream.'),
  describeStreamStorageConfiguration: z
    .int()
    .min(0)
    .default(5)
    .describe('Calls per second and stream.'),
  listTagsForStream: z.int().min(0).default(5).describe('Calls per second and stream.'),
  masterPlaylist: z.int().min(0).default(5).describe('Calls per second and session.'),
  mediaPlaylist: z
    .int()
    .min(0)
    .default(5)
    .describe('Calls per second and session, all tracks together.'),
  initFragment: z.int().min(0).default(5).describe('Calls per second and session.'),
  mediaFragment: z.int().min(0).default(20).describe('Calls per second and session, MP4.'),
  tsFragment: z.int().min(0).default(20).describe('Calls per second and session, MPEG-TS.'),
  metadataPoints: z.int().min(0).default(10_000).describe('Points per second and stream.'),
  mediaPoints: z.int().min(0).default(500).describe('Points per second and stream.'),
  usedByOthers: z
    .number()
    .min(0)
    .max(1)
    .default(0)
    .describe('Which share of the stream’s limits other readers use up.'),
})

const offset = z.int().min(-FARTHEST_MS).max(FARTHEST_MS)

/** Fragments as somebody's producer sent them, which the clip's pictures and sounds fill. */
const recordingSchema = z.strictObject({
  loopMs: z.int().min(1).max(86_400_000).describe('After how long it begins again.'),
  framesPerSecond: z.number().min(0.1).max(200).describe('How many pictures it has.'),
  keyFramesMs: millis.describe('How far key frames are apart, in a fragment.'),
  driftMs: z
    .int()
    .min(-600_000)
    .max(600_000)
    .default(0)
    .describe('How far the producer’s clock runs off in each loop.'),
  fragments: z
    .array(
      z.strictObject({
        startMs: millis,
        lengthMs: z.int().min(1).max(600_000),
        bytes: z.int().min(0).max(100_000_000),
        producerMs: offset,
        serverMs: millis.max(3_600_000),
        counter: z
          .int()
          .min(0)
          .max(2 ** 40),
      }),
    )
    .min(1)
    .max(1000)
    .refine(inOrder, 'starts and counters grow')
    .describe(
      'Fragments in place of the clip’s own: `startMs`, `lengthMs`, `bytes`, how far `producerMs` and `serverMs` are from its start, and the `counter` in its number.',
    ),
})

function inOrder(
  fragments: readonly { readonly startMs: number; readonly counter: number }[],
): boolean {
  return fragments.every(({ startMs, counter }, i) => {
    const before = fragments[i - 1]
    return before === undefined || (before.startMs < startMs && before.counter < counter)
  })
}

export const cameraConfigSchema = z.strictObject({
  clip: z.enum(CLIP_NAMES).default('av-720p').describe('Which media it loops.'),
  frameStepsMs: z
    .array(z.int().min(10).max(5000))
    .max(100)
    .default([])
    .describe(
      'How far pictures are apart, in turn; the last of a fragment is said to last as long as the one before. Default: as encoded.',
    ),
  join: z
    .int()
    .min(1)
    .max(20)
    .default(1)
    .describe('How many fragments of the clip are sent as one, each with its key frame.'),
  keyFrameDelay: z
    .int()
    .min(0)
    .max(4)
    .default(0)
    .describe(
      'How many pictures a fragment has in front of its key frame. For clips without B-frames.',
    ),
  recording: recordingSchema.optional(),
  anchorMs: millis
    .default(Date.UTC(2025, 0, 1))
    .describe('When its first fragment began, in milliseconds since 1970.'),
  streamName: streamName
    .optional()
    .describe('What KVS calls it; default: its name here. Several regions may have one name.'),
  region: z
    .string()
    .regex(/^[a-z0-9-]+$/)
    .optional()
    .describe('Calls signed for another region find no such stream; default: any will do.'),
  roleArn: z
    .string()
    .regex(/^arn:aws[a-z-]*:iam::\d{12}:role\/[\w+=,.@/-]+$/)
    .optional()
    .describe('Only credentials that AssumeRole gave out for this role may read it.'),
  externalId: z
    .string()
    .regex(/^[\w+=,.@:/-]{2,1224}$/)
    .optional()
    .describe('AssumeRole for its role must name this ExternalId.'),
  denied: z
    .array(z.enum(ACTIONS))
    .default([])
    .describe('IAM actions that AccessDeniedException refuses for this stream.'),
  deniedBy: z
    .enum(DENIED_BY)
    .default('unsaid')
    .describe('Which policy the refusal names, as IAM words it.'),
  clockOffsetMs: z
    .int()
    .min(-86_400_000)
    .max(86_400_000)
    .default(0)
    .describe('The same as for the account, in calls for this stream.'),
  dataHost: z
    .enum(['own', 'refused', 'unresolvable'])
    .default('own')
    .describe(
      'Where GetDataEndpoint leads: here, to a port that nobody listens at, or to a name that only the emulator as HTTP proxy knows.',
    ),
  status: z
    .enum(['CREATING', 'ACTIVE', 'UPDATING', 'DELETING'])
    .default('ACTIVE')
    .describe('As DescribeStream tells; only ACTIVE and UPDATING streams can be read.'),
  retentionHours: z
    .int()
    .min(0)
    .default(24)
    .describe('How far back the archive goes; 0 answers NoDataRetentionException.'),
  storageTier: z.enum(['HOT', 'WARM']).default('HOT').describe('Where new media is stored.'),
  tags: z
    .record(z.string().min(1).max(128), z.string().max(256))
    .default({})
    .describe('As ListTagsForStream tells.'),
  kms: z
    .enum(['aws-key', 'own-key', 'access-denied', 'key-disabled'])
    .default('aws-key')
    .describe(
      'Which key encrypts it, or why its own may not be used: then nothing of it can be read.',
    ),
  mediaType: z
    .string()
    .max(128)
    .optional()
    .describe('As DescribeStream tells, whatever the media; default: what it is.'),
  fragmentError: z
    .int()
    .min(3000)
    .max(5999)
    .optional()
    .describe('The error that GetMediaForFragmentList tells of each fragment.'),
  codecPrivateData: z
    .enum(['present', 'missing', 'sound-missing', 'invalid', 'annex-b'])
    .default('present')
    .describe('Missing or invalid, as Annex B is: session creation answers with that exception.'),
  mediaSupported: z
    .boolean()
    .default(true)
    .describe('Off: session creation answers UnsupportedStreamMediaTypeException.'),
  soundCodec: z
    .enum(['aac', 'a-law', 'mu-law', 'pcm'])
    .default('aac')
    .describe('How sound is coded; of others than AAC there is no session.'),
  silentTrack: z
    .boolean()
    .default(false)
    .describe('Whether the Matroska head declares sound that pictures come without.'),
  soundOffsetMs: z
    .int()
    .min(-5000)
    .max(5000)
    .default(0)
    .describe('How much later than its pictures a fragment’s sound is stamped.'),

  ingestLatencyMs: millis.max(5000).default(150).describe('From last frame to being listed.'),
  ingestJitterMs: millis.max(5000).default(0).describe('Up to this much is added to it.'),
  serverJitterMs: millis
    .max(1000)
    .default(20)
    .describe('How far server timestamps wander from a steady delay, either way.'),
  listFragmentsLagMs: millis
    .default(300)
    .describe('How much later than playlists ListFragments shows a fragment.'),
  events: z
    .array(z.strictObject({ atMs: millis.optional(), event: eventSchema }))
    .max(10_000)
    .default([])
    .describe('What happens to it, and when (milliseconds since 1970; default: from the first).'),

  minExpires: z
    .int()
    .min(1)
    .default(300)
    .describe('Smallest Expires that is accepted, in seconds; lower it in tests only.'),
  recentFragmentRule: z
    .boolean()
    .default(true)
    .describe('A LIVE session needs a fragment of the last 30 s.'),
  silence: z
    .enum(['not-found', 'frozen', 'empty'])
    .default('not-found')
    .describe('LIVE playlists 30 s after the last fragment: 404, the last list, or an empty one.'),
  reviveAfterSilence: z
    .boolean()
    .default(false)
    .describe('Whether a LIVE session goes on when the producer returns after 30 s.'),
  fragmentUri: z
    .enum(['number', 'index'])
    .default('number')
    .describe('FragmentNumber in URIs: 47 digits, or 0, 1, 2… in each session as in 2019.'),
  mediaSequenceStart: z
    .union([z.literal(0), z.literal(1)])
    .default(0)
    .describe('EXT-X-MEDIA-SEQUENCE of a session’s first playlist.'),
  mediaSequenceAdvance: z
    .enum(['fragments', 'polls'])
    .default('fragments')
    .describe('Whether it counts fragments that came and went between two polls.'),
  mapSequenceNumber: z.boolean().default(true).describe('`&SequenceNumber=` on EXT-X-MAP.'),
  discontinuitySequence: z.boolean().default(false).describe('EXT-X-DISCONTINUITY-SEQUENCE.'),
  numberFormat: z
    .enum(['java', 'plain'])
    .default('java')
    .describe('Whole seconds as `5.0` (Double.toString) or as `5`.'),
  extinfErrorMs: millis
    .max(50)
    .default(0)
    .describe('How far EXTINF is off the media’s own length, either way.'),
  replayPlaylistType: z
    .enum(['none', 'EVENT'])
    .default('none')
    .describe('EXT-X-PLAYLIST-TYPE of LIVE_REPLAY; an EVENT list keeps all its fragments.'),
  replayEndList: z
    .boolean()
    .default(true)
    .describe('EXT-X-ENDLIST once LIVE_REPLAY has reached its EndTimestamp.'),
  cpdChangeLimit: z
    .int()
    .min(0)
    .default(500)
    .describe('Codec private data changes in a session before it fails.'),

  tfdtBase: z
    .enum(['epoch', 'session', 'fragment'])
    .default('epoch')
    .describe('Where decode times count from.'),
  tfdtVersion: z
    .union([z.literal(0), z.literal(1)])
    .default(1)
    .describe('0 holds 32 bits; a time that needs more is written as version 1 anyway.'),
  moofs: z.int().min(1).max(50).default(1).describe('`moof` boxes of a fragment.'),
  styp: z.boolean().default(false).describe('A `styp` box in front of each fragment.'),
  sidx: z.boolean().default(false).describe('A `sidx` box in front of each fragment.'),
  mfhd: z
    .enum(['fragment', 'one'])
    .default('fragment')
    .describe('`mfhd` sequence numbers: one more with each fragment, or always 1.'),

  signing: z
    .enum([
      'shape',
      'off',
      'deny',
      'not-authorized',
      'expired-token',
      'signature-expired',
      'unknown-key',
      'wrong-secret',
    ])
    .default('shape')
    .describe(
      'Signed calls: check the header’s shape, do not check, or refuse in one of six ways.',
    ),
  errorHeaders: z
    .enum(['both', 'x-amzn', 'x-amz', 'none'])
    .default('both')
    .describe('Which spellings of ErrorType and RequestId are sent.'),
  cors: z.boolean().default(true).describe('`Access-Control-Allow-Origin: *` on session GETs.'),
  quotas: quotasSchema.prefault({}),
  latencyMs: millis.max(600_000).default(0).describe('Every answer waits this long.'),
  faults: z.array(faultSchema).max(100).default([]).describe('Trouble; see Faults.'),
})

export type CameraConfig = z.output<typeof cameraConfigSchema>
export type CameraConfigInput = z.input<typeof cameraConfigSchema>

/** The four cameras that run when none are configured. */
export const demoCameras = {
  'lobby-camera': { clip: 'av-720p' },
  'entrance-camera': { clip: 'av-360p' },
  'garage-camera': { clip: 'av-360p-irregular' },
  'yard-camera': { clip: 'video-only' },
} as const satisfies Record<string, CameraConfigInput>

export const emulatorConfigSchema = z.strictObject({
  region: z
    .string()
    .regex(/^[a-z0-9-]+$/)
    .default('us-west-2')
    .describe('In ARNs of streams without a region of their own.'),
  account: z
    .string()
    .regex(/^\d+$/)
    .default('123456789012')
    .describe('In ARNs of streams without a role.'),
  unknownOperation: z
    .boolean()
    .default(true)
    .describe('Unknown POST paths answer 200 with UnknownOperationException; off: 404.'),
  checkDates: z
    .boolean()
    .default(false)
    .describe(
      'Signatures whose date is more than five minutes off the machine’s are refused, as by AWS.',
    ),
  clockOffsetMs: z
    .int()
    .min(-86_400_000)
    .max(86_400_000)
    .default(0)
    .describe('How far AWS’s date is off the machine’s; then signatures’ dates are checked.'),
  stsSigning: z
    .enum(['shape', 'expired-token', 'unknown-key', 'wrong-secret'])
    .default('shape')
    .describe('Calls of STS: check the header’s shape, or refuse in one of three ways.'),
  denied: z
    .array(z.enum(ACTIONS))
    .default([])
    .describe('IAM actions that AccessDeniedException refuses for all streams.'),
  accountQuota: z
    .int()
    .min(0)
    .default(300)
    .describe('GetDataEndpoint and DescribeStream calls per second of the whole account, each.'),
  cameras: z
    .record(streamName, cameraConfigSchema)
    .prefault(() => structuredClone(demoCameras))
    .describe('By stream name.'),
})

export type EmulatorConfig = z.input<typeof emulatorConfigSchema>
export type CheckedEmulatorConfig = z.output<typeof emulatorConfigSchema>
