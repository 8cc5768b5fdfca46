import type { CameraConfigInput } from '../../../src/emulator/config.ts'
import { type Emulator, startEmulator } from '../../../src/emulator/emulator.ts'
import { UpstreamAgent } from '../../../src/upstream/agent.ts'
import type { HlsSession } from '../../../src/upstream/hls-session.ts'
import type { ApiCall } from '../../../src/upstream/kvs/kvs-api.ts'
import { type KvsSessionDeps, openKvsSession } from '../../../src/upstream/kvs/kvs-session.ts'
import type { KvsSource } from '../../../src/upstream/kvs/kvs-source.ts'
import { SdkKvsApi } from '../../../src/upstream/kvs/sdk-kvs-api.ts'
import { StreamQuotas } from '../../../src/upstream/kvs/stream-quotas.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { outcome } from './outcome.ts'

export const CAMERA = 'lobby-camera'

const DEFAULTS = {
  fragmentSelectorType: 'PRODUCER_TIMESTAMP',
  containerFormat: 'FRAGMENTED_MP4',
  discontinuityMode: 'ON_DISCONTINUITY',
  expiresMs: 300_000,
  fragmentResults: 10,
} as const

/** An emulator with one camera and all that is needed to open its sessions, on one clock. */
export interface Kvs {
  readonly clock: ManualClock
  readonly emulator: Emulator
  readonly control: Emulator['control']
  /** `operation code` of all requests, as the observer heard of them. */
  readonly seen: readonly string[]
  /** The calls that take credentials, and what every one of them brings along. */
  readonly api: SdkKvsApi
  readonly source: KvsSource
  readonly call: ApiCall
  /** Opens a session without moving the clock by hand. */
  open(source?: Partial<typeof DEFAULTS>): Promise<HlsSession>
  /** Opens a session for a keeper, which brings its own signal. */
  openWith(signal: AbortSignal): Promise<HlsSession>
  /** What comes of a call while the clock runs. */
  run<T>(call: Promise<T>): Promise<T>
  close(): Promise<void>
}

export async function startKvs(camera: CameraConfigInput = {}): Promise<Kvs> {
  const clock = new ManualClock()
  const emulator = await startEmulator({ clock, config: { cameras: { [CAMERA]: camera } } })
  const agent = new UpstreamAgent()
  const api = new SdkKvsApi(clock, () => 0.5, { endpoint: emulator.url })
  const seen: string[] = []
  const deps: KvsSessionDeps = {
    api,
    dispatcher: agent,
    clock,
    random: () => 0.5,
    quota: new StreamQuotas({ clock }).of({ streamName: CAMERA }),
    observer: { request: (operation, code) => seen.push(`${operation} ${code}`) },
  }
  const openWith = (signal: AbortSignal, source: KvsSource): Promise<HlsSession> =>
    openKvsSession(deps, source, signal)
  const never = new AbortController().signal
  return {
    clock,
    emulator,
    api,
    source: { streamName: CAMERA, ...DEFAULTS },
    call: { quota: deps.quota, observer: deps.observer, signal: never },
    control: emulator.control,
    seen,
    open: (source) =>
      outcome(clock, openWith(never, { streamName: CAMERA, ...DEFAULTS, ...source })),
    openWith: (signal) => openWith(signal, { streamName: CAMERA, ...DEFAULTS }),
    run: (call) => outcome(clock, call),
    async close() {
      await agent.destroy()
      api.close()
      await emulator.close()
    },
  }
}
