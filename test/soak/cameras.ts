import { cameraOf, ofCamera } from '../proof/product.ts'

/** Emulated cameras by name: each differs in what makes streams hard. */
export const SOAK_CAMERAS = {
  lobby: { clip: 'av-720p', tfdtBase: 'session' },
  entrance: { clip: 'av-360p', tfdtBase: 'epoch' },
  garage: { clip: 'av-360p-irregular', tfdtBase: 'fragment' },
  yard: { clip: 'video-only', tfdtBase: 'session', silence: 'frozen' },
  gate: { clip: 'av-720p', tfdtBase: 'session' },
  porch: { clip: 'hevc', tfdtBase: 'epoch' },
  cellar: { clip: 'audio-only', tfdtBase: 'session' },
  hall: { clip: 'av-360p', tfdtBase: 'session' },
  dock: { clip: 'av-720p', tfdtBase: 'epoch' },
  // Not quite on the first one's clock, or nobody could see the seams.
  'dock-spare': { clip: 'av-720p', events: [{ event: { type: 'skew', ms: 733 } }] },
  'guest-7': { clip: 'av-360p', tfdtBase: 'session' },
} as const satisfies Readonly<Record<string, Readonly<Record<string, unknown>>>>

export type SoakCamera = keyof typeof SOAK_CAMERAS

export interface SoakStream {
  readonly name: string
  /** In the configuration file; undefined for one that exists by pattern. */
  readonly entry?: (url: string, wildUrl: string) => Readonly<Record<string, unknown>>
  /** Cameras of the emulator that it reads; trouble is made for the first one. */
  readonly cameras: readonly SoakCamera[]
  /** The stream that it follows: what troubles that one is felt here too. */
  readonly follows?: string
  readonly isTs?: true
  readonly hasBackup?: true
  readonly hasDvr?: true
  /**
   * When its camera stops, a slate or a backup fills the time: viewers may have to wait for this long at
   * most, and not at all when the camera is back. Undefined: nothing does.
   */
  readonly coveredWithinMs?: number
}

const SIGNAL_LOSS_MS = 5_000
/** From a lost signal to what stands in for it, listed and downloaded: some fragments' time. */
const STAND_IN_MS = 10_000
const coveredWithinMs = SIGNAL_LOSS_MS + STAND_IN_MS
const signalLossAfter = `${SIGNAL_LOSS_MS}ms`

const plain = (name: SoakCamera, more: Readonly<Record<string, unknown>> = {}): SoakStream => ({
  name,
  entry: () => ({ ...ofCamera(name), ...more }),
  cameras: [name],
})

export const WILD_STREAM = 'wild'

/** The gateway's streams: every kind of source, and what is done when it delivers nothing. */
export const SOAK_STREAMS: readonly SoakStream[] = [
  { ...plain('lobby', { dvr: '10m' }), hasDvr: true },
  // Short: segments leave the list while it is watched.
  { ...plain('entrance', { dvr: '2m' }), hasDvr: true },
  plain('garage'),
  plain('yard'),
  {
    ...plain('gate'),
    entry: () => ({ ...ofCamera('gate', { containerFormat: 'MPEG_TS' }), dvr: '10m' }),
    isTs: true,
    hasDvr: true,
  },
  { ...plain('porch', { dvr: '10m', dvrBackfill: true }), hasDvr: true },
  plain('cellar'),
  {
    ...plain('hall', { dvr: '10m', onSignalLoss: 'slate', signalLossAfter }),
    hasDvr: true,
    coveredWithinMs,
  },
  {
    name: 'dock',
    entry: () => ({
      ...ofCamera('dock'),
      backup: { kvs: { streamName: cameraOf('dock-spare') }, returnAfter: '15s' },
      signalLossAfter,
      dvr: '10m',
    }),
    cameras: ['dock', 'dock-spare'],
    hasBackup: true,
    hasDvr: true,
    coveredWithinMs,
  },
  {
    name: 'relay',
    entry: (url) => ({ hls: { url: `${url}/hls/lobby/master.m3u8` } }),
    cameras: [],
    follows: 'lobby',
  },
  {
    // An origin that shows the same in other words: see `wild-origin.ts`.
    name: WILD_STREAM,
    entry: (_url, wildUrl) => ({ hls: { url: wildUrl } }),
    cameras: [],
    follows: 'entrance',
  },
  { name: 'guest-7', cameras: ['guest-7'] },
]

export const SOAK_PATTERNS = [
  { match: '^guest-[0-9]+$', kvs: { streamName: cameraOf('{name}') }, max: 4 },
] as const

export const soakEntries = (
  url: string,
  wildUrl: string,
  streams = SOAK_STREAMS,
): Readonly<Record<string, unknown>> =>
  Object.fromEntries(
    streams.flatMap(({ name, entry }) =>
      entry === undefined ? [] : [[name, entry(url, wildUrl)] as const],
    ),
  )
