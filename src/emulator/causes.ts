import type { z } from 'zod'
import type { eventSchema } from './camera/event.ts'
import type { CameraConfigInput, EmulatorConfig } from './config.ts'
import { ACTIONS } from './service/denial.ts'

/** Something that keeps a camera from playing, or from playing well, and how to bring it about. */
export interface Cause {
  /** What is wrong, as its owner would say once it is known. */
  readonly says: string
  readonly camera: CameraConfigInput
  /** What holds for the whole account, where this is the only camera. */
  readonly account?: Omit<EmulatorConfig, 'cameras'>
}

export type Causes = Readonly<Record<string, Cause>>

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const OTHER_ACCOUNT = 'arn:aws:iam::210987654321:role'
/** How many fragments a trouble lasts: hours. */
const LASTING = 10_000
/** Pictures without B-frames and sound, in fragments of 2 s. */
const PICTURES = { clip: 'video-only' } as const

type Event = z.input<typeof eventSchema>

/** Returns what `--cause` can bring about, by name. Times are laid so that it is there at `nowMs`. */
export function causes(nowMs: number): Causes {
  return {
    healthy: { says: 'Nothing is wrong.', camera: {} },
    ...denials(),
    ...access(),
    ...ways(),
    ...readers(),
    ...streams(),
    ...media(),
    ...lengths(nowMs),
    ...clocks(nowMs),
    ...producers(nowMs),
  }
}

/** Makes a configuration of these causes, each at a camera `cause-NAME`. Throws RangeError for a name that is none. */
export function causesConfig(names: readonly string[], nowMs: number): EmulatorConfig {
  const known = causes(nowMs)
  const meant = names.map((name) => {
    const cause = known[name]
    if (cause === undefined) throw new RangeError(`no cause ${name}`)
    return [`cause-${name}`, cause] as const
  })
  const [only, ...others] = meant
  const account = others.length === 0 ? only?.[1].account : undefined
  return {
    ...account,
    cameras: Object.fromEntries(meant.map(([name, { camera }]) => [name, camera])),
  }
}

/** KVS.md, section 7.2. */
function denials(): Causes {
  return Object.fromEntries(
    ACTIONS.map((action) => {
      return [
        `denied-${kebab(action)}`,
        { says: `No policy allows ${action}.`, camera: { denied: [action] } },
      ]
    }),
  )
}

/** Turns `kinesisvideo:GetHLSStreamingSessionURL` into `get-hls-streaming-session-url`. */
function kebab(action: string): string {
  return action
    .replace('kinesisvideo:', '')
    .replace(/([a-z])([A-Z])/g, '$1-$2')
    .replace(/(HLS)([A-Z])/g, '$1-$2')
    .toLowerCase()
}

/** KVS.md, sections 7.1 and 7.2. */
function access(): Causes {
  return {
    'denied-by-scp': {
      says: 'The organization denies listing fragments to everybody.',
      camera: { denied: ['kinesisvideo:ListFragments'], deniedBy: 'scp' },
    },
    'denied-by-session-policy': {
      says: 'The policy that the credentials were asked for with leaves sessions out.',
      camera: { denied: ['kinesisvideo:GetHLSStreamingSessionURL'], deniedBy: 'session' },
    },
    'denied-by-boundary': {
      says: 'The permissions boundary of the role leaves sessions out.',
      camera: { denied: ['kinesisvideo:GetHLSStreamingSessionURL'], deniedBy: 'boundary' },
    },
    'other-account': {
      says: 'The stream belongs to another account, whose role is not assumed.',
      camera: { roleArn: `${OTHER_ACCOUNT}/viewer` },
    },
    'role-refused': {
      says: `The other account’s role ${OTHER_ACCOUNT}/refused does not trust us.`,
      camera: {
        roleArn: `${OTHER_ACCOUNT}/refused`,
        faults: [
          {
            kind: 'status',
            operation: 'AssumeRole',
            status: 403,
            type: 'AccessDenied',
            message: `User: arn:aws:iam::123456789012:user/viewer is not authorized to perform: sts:AssumeRole on resource: ${OTHER_ACCOUNT}/refused`,
          },
        ],
      },
    },
    'external-id': {
      says: `The role ${OTHER_ACCOUNT}/external wants the ExternalId site-7.`,
      camera: { roleArn: `${OTHER_ACCOUNT}/external`, externalId: 'site-7' },
    },
    'expired-credentials': {
      says: 'The temporary credentials have expired.',
      camera: { signing: 'expired-token' },
      account: { stsSigning: 'expired-token' },
    },
    'unknown-credentials': {
      says: 'AWS does not know the access key: it was deleted, or is of another partition.',
      camera: { signing: 'unknown-key' },
      account: { stsSigning: 'unknown-key' },
    },
    'wrong-secret': {
      says: 'The secret does not belong to the access key.',
      camera: { signing: 'wrong-secret' },
      account: { stsSigning: 'wrong-secret' },
    },
    'gateway-clock': {
      says: 'The gateway’s clock is ten minutes behind.',
      camera: { clockOffsetMs: 10 * MINUTE_MS },
      account: { clockOffsetMs: 10 * MINUTE_MS },
    },
    'kms-denied': {
      says: 'Nobody allows kms:Decrypt with the stream’s own key.',
      camera: { kms: 'access-denied' },
    },
    'kms-key-disabled': {
      says: 'The stream’s own key is disabled.',
      camera: { kms: 'key-disabled' },
    },
  }
}

/** How KVS is reached. KVS.md, section 9.3. */
function ways(): Causes {
  return {
    'data-host-refused': {
      says: 'Nobody listens at the data host.',
      camera: { dataHost: 'refused' },
    },
    'proxy-needed': {
      says: 'The data host is known to the HTTP proxy alone, which is the emulator itself.',
      camera: { dataHost: 'unresolvable' },
    },
    'data-host-silent': {
      says: 'The data host does not answer.',
      camera: {
        faults: [
          { kind: 'latency', ms: 600_000, operation: 'ListFragments' },
          { kind: 'latency', ms: 600_000, operation: 'GetHLSStreamingSessionURL' },
        ],
      },
    },
    'proxy-login': {
      says: 'A proxy on the way wants a name and a password.',
      camera: { faults: [{ kind: 'html', status: 407 }] },
    },
    'captive-page': {
      says: 'Something on the way answers with a page of its own.',
      camera: { faults: [{ kind: 'html', status: 200 }] },
    },
    'connections-reset': {
      says: 'Something on the way resets connections.',
      camera: { faults: [{ kind: 'refuse' }] },
    },
  }
}

/** Others who read the same stream, or have the same account. KVS.md, section 10. */
function readers(): Causes {
  return {
    'reader-takes-calls': {
      says: 'Another reader uses up what the stream has of calls and points.',
      camera: { quotas: { usedByOthers: 1 } },
    },
    'reader-takes-most': {
      says: 'Other readers leave a fifth of what the stream has of calls and points.',
      camera: { quotas: { usedByOthers: 0.8 } },
    },
    'account-throttled': {
      says: 'Others use up the account’s DescribeStream and GetDataEndpoint calls.',
      camera: {
        faults: [
          throttled(
            'GetDataEndpoint',
            'Limit exceeded on number of requests for GetDataEndpoint API',
          ),
          throttled(
            'DescribeStream',
            'Limit exceeded on number of requests for DescribeStream API',
          ),
        ],
      },
      account: { accountQuota: 0 },
    },
  }
}

function throttled(
  operation: 'GetDataEndpoint' | 'DescribeStream',
  message: string,
): NonNullable<CameraConfigInput['faults']>[number] {
  return { kind: 'status', operation, status: 400, type: 'ClientLimitExceededException', message }
}

/** How the stream is set up. KVS.md, sections 6.2, 7.1 and 10. */
function streams(): Causes {
  return {
    'wrong-region': { says: 'The stream is in eu-west-1.', camera: { region: 'eu-west-1' } },
    'wrong-name': {
      says: 'The stream is called lobby-camera.',
      camera: { streamName: 'lobby-camera' },
    },
    'not-active': { says: 'The stream is being deleted.', camera: { status: 'DELETING' } },
    'no-retention': { says: 'The stream keeps nothing.', camera: { retentionHours: 0 } },
    'warm-tier': {
      says: 'New media goes to the warm tier, which charges by the fragment.',
      camera: { storageTier: 'WARM' },
    },
  }
}

/** What the producer sends. KVS.md, sections 6.3 and 7.1. */
function media(): Causes {
  return {
    'no-private-data': {
      says: 'The picture track has no codec private data.',
      camera: { codecPrivateData: 'missing' },
    },
    'no-sound-private-data': {
      says: 'The sound track has no codec private data.',
      camera: { codecPrivateData: 'sound-missing' },
    },
    'invalid-private-data': {
      says: 'The codec private data is none.',
      camera: { codecPrivateData: 'invalid' },
    },
    'annex-b': {
      says: 'The producer sends Annex B: start codes, where lengths belong.',
      camera: { codecPrivateData: 'annex-b' },
    },
    'unsupported-pictures': {
      says: 'Pictures are neither H.264 nor H.265.',
      camera: { mediaSupported: false },
    },
    'g711-sound': { says: 'Sound is G.711, A-law.', camera: { soundCodec: 'a-law' } },
    'pcm-sound': { says: 'Sound is PCM.', camera: { soundCodec: 'pcm' } },
    hevc: { says: 'Pictures are H.265, which not all browsers play.', camera: { clip: 'hevc' } },
    'sound-offset': {
      says: 'Sound is stamped a second and a half later than its pictures.',
      camera: { soundOffsetMs: 1500 },
    },
    'late-key-frames': {
      says: 'Fragments are cut by time, and begin with three pictures that depend on earlier ones.',
      camera: { ...PICTURES, keyFrameDelay: 3 },
    },
  }
}

/** How long fragments are, and which are missing. KVS.md, section 10. */
function lengths(nowMs: number): Causes {
  return {
    'long-fragments': {
      says: 'Fragments of 12 s, with a key frame each 2 s.',
      camera: { join: 6 },
    },
    'long-gop': {
      says: 'A key frame each 20 s, so fragments of 20 s, some of which KVS refuses.',
      camera: {
        clip: 'video-gop-20s',
        ...since(nowMs, HOUR_MS, { type: 'drop', count: LASTING, every: 4 }),
      },
    },
    'short-fragments': {
      says: 'A key frame each 0.4 s, so fragments of 0.4 s.',
      camera: { clip: 'video-gop-400ms' },
    },
    gaps: {
      says: 'One of three fragments does not arrive.',
      camera: since(nowMs, HOUR_MS, { type: 'drop', count: LASTING, every: 3 }),
    },
  }
}

/** What the producer takes for the time. */
function clocks(nowMs: number): Causes {
  const hourAgoMs = nowMs - HOUR_MS
  return {
    'producer-behind': {
      says: 'The producer’s clock is ten minutes behind.',
      camera: since(nowMs, HOUR_MS, { type: 'skew', ms: -10 * MINUTE_MS }),
    },
    'producer-ahead': {
      says: 'The producer’s clock is ten minutes ahead.',
      camera: since(nowMs, HOUR_MS, { type: 'skew', ms: 10 * MINUTE_MS }),
    },
    'producer-from-zero': {
      says: 'The producer counts from its start, which is 1970 to KVS.',
      camera: { anchorMs: hourAgoMs, events: [{ event: { type: 'skew', ms: -hourAgoMs } }] },
    },
    'producer-drifts': {
      says: 'The producer’s clock runs fast by one per cent.',
      camera: since(nowMs, 5 * MINUTE_MS, { type: 'drift', ppm: 10_000 }),
    },
    'two-producers': {
      says: 'Two producers send to one stream, half a second apart.',
      camera: since(nowMs, 5 * MINUTE_MS, { type: 'alternate', count: LASTING, ms: -500 }),
    },
  }
}

/** How the producer sends. */
function producers(nowMs: number): Causes {
  return {
    'producer-silent': {
      says: 'The producer has sent nothing for a minute.',
      camera: since(nowMs, MINUTE_MS, { type: 'stop' }),
    },
    'never-any-data': {
      says: 'No producer has ever sent anything.',
      camera: { events: [{ event: { type: 'stop' } }] },
    },
    'slow-uplink': {
      says: 'The producer’s uplink is too slow: what it sends is late by more and more, then lost.',
      camera: since(nowMs, HOUR_MS, {
        type: 'congested',
        count: LASTING,
        growMs: 400,
        untilMs: 8000,
      }),
    },
    reconnects: {
      says: 'The producer begins a new connection each 10 s.',
      camera: since(nowMs, 10 * MINUTE_MS, { type: 'reconnect', count: LASTING, every: 5 }),
    },
    'silent-track': {
      says: 'The producer declares sound and often has none, which KVS refuses.',
      camera: {
        ...PICTURES,
        silentTrack: true,
        ...since(nowMs, HOUR_MS, { type: 'drop', count: LASTING, every: 3 }),
      },
    },
    'track-change': {
      says: 'The producer left out its sound half a minute ago.',
      camera: since(nowMs, MINUTE_MS / 2, { type: 'tracks', video: true, audio: false }),
    },
    'codec-changes': {
      says: 'The encoder restarts with other codec private data each 6 s.',
      camera: since(nowMs, 10 * MINUTE_MS, {
        type: 'codec-private-data',
        changes: LASTING,
        every: 3,
      }),
    },
  }
}

/** Lets something happen that began so long ago. */
function since(nowMs: number, agoMs: number, event: Event): Pick<CameraConfigInput, 'events'> {
  return { events: [{ atMs: nowMs - agoMs, event }] }
}
