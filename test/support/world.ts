import type { Clock } from '../../src/base/clock.ts'
import type { Log, LogFields } from '../../src/base/log.ts'
import type { Config } from '../../src/config/config.ts'
import { parseConfig } from '../../src/config/load.ts'
import type { CameraConfigInput } from '../../src/emulator/config.ts'
import type { CameraCounters } from '../../src/emulator/control/views.ts'
import { type Emulator, startEmulator } from '../../src/emulator/emulator.ts'
import { loadAhead } from '../../src/gateway/load-ahead.ts'
import { type RunningGateway, startGateway } from '../../src/gateway.ts'
import type { ReloadReport } from '../../src/http/routes/reload-api.ts'
import { GatewayAdmin } from '../proof/gateway-admin.ts'
import { seededRandom } from '../proof/seeded-random.ts'

// A first request loads what it needs, in real time; a test's clock would run on meanwhile.
await loadAhead()

type Section = Readonly<Record<string, unknown>>

export interface WorldOptions {
  readonly clock: Clock
  /** Public name → emulated camera. Default: one named `lobby`. */
  readonly cameras?: Readonly<Record<string, CameraConfigInput>>
  /** As in the configuration file: what all streams share, and the process's own. */
  readonly defaults?: Section
  readonly cache?: Section
  /** Beside region and endpoint. */
  readonly aws?: Section
  /** Any other section of the file. */
  readonly config?: Section
  readonly seed?: number
  /** How long sessions live: in real time, less than a file may say. Then cameras need a `minExpires`. */
  readonly expiresMs?: number
}

export interface LogLine {
  readonly level: keyof Log
  readonly event: string
  readonly fields: LogFields
}

/** KVS and the gateway in this process, on one clock, joined by real sockets. */
export interface World {
  readonly clock: Clock
  readonly emulator: Emulator
  readonly control: Emulator['control']
  readonly gateway: RunningGateway
  /** The gateway's admin API. */
  readonly admin: GatewayAdmin
  /** All that the gateway logged, debug included; also before a restart. */
  readonly lines: readonly LogLine[]
  /** The multivariant playlist of a stream; the same after a restart. */
  watchUrl(stream?: string): string
  /** What the emulator counted for a stream's camera. */
  counters(stream?: string): CameraCounters
  /** Has the gateway read its configuration again, in which these are others by now. */
  reload(changes: Pick<WorldOptions, 'cameras' | 'defaults' | 'config'>): Promise<ReloadReport>
  stopGateway(): Promise<void>
  /** The same configuration and ports as before, with changed `defaults` if given. */
  startGateway(defaults?: Section): Promise<void>
  close(): Promise<void>
}

export const cameraOf = (stream = 'lobby'): string => `${stream}-camera`

/** Everything by default as in a production configuration, the ports apart. */
export async function startWorld(options: WorldOptions): Promise<World> {
  const { clock, cameras = { lobby: {} }, seed = 1 } = options
  const random = seededRandom(seed)
  const emulated = Object.entries(cameras).map(([name, camera]) => [cameraOf(name), camera])
  const config = { cameras: Object.fromEntries(emulated) as Record<string, CameraConfigInput> }
  const emulator = await startEmulator({ clock, random, config })
  const lines: LogLine[] = []
  let written = options
  let port = 0
  let askedPort = 0
  const reread = (): Promise<Config> =>
    Promise.resolve().then(() => configOf(written, emulator.url, askedPort))
  const deps = { clock, random, log: collect(lines), env: {}, reread }
  const start = async (defaults?: Section): Promise<RunningGateway> => {
    askedPort = port
    const started = await startGateway(
      configOf({ ...options, ...(defaults === undefined ? {} : { defaults }) }, emulator.url, port),
      deps,
    )
    port = Number(new URL(started.publicUrl).port)
    return started
  }
  let gateway = await start()
  let running = true
  return {
    clock,
    emulator,
    control: emulator.control,
    get gateway() {
      return gateway
    },
    get admin() {
      return new GatewayAdmin(gateway.adminUrl)
    },
    lines,
    watchUrl: (stream = 'lobby') => `${gateway.publicUrl}/hls/${stream}/master.m3u8`,
    counters: (stream) => countersOf(emulator, cameraOf(stream)),
    reload(changes) {
      written = { ...written, ...changes }
      return gateway.reload()
    },
    async stopGateway() {
      running = false
      await gateway.close()
    },
    async startGateway(defaults) {
      gateway = await start(defaults)
      running = true
    },
    async close() {
      if (running) await gateway.close()
      await emulator.close()
    },
  }
}

function configOf(options: WorldOptions, endpoint: string, port: number): Config {
  const { cameras = { lobby: {} }, defaults = {}, cache = {}, aws = {}, config = {} } = options
  const streams = Object.keys(cameras).map((name) => [
    name,
    { kvs: { streamName: cameraOf(name) } },
  ])
  const file = {
    server: { port },
    admin: { port: 0 },
    aws: { region: 'us-west-2', endpoint, ...aws },
    cache,
    defaults,
    streams: Object.fromEntries(streams) as Section,
    ...config,
  }
  // JSON is YAML: so the tests' configurations are as checked as an operator's.
  const checked = parseConfig('world', JSON.stringify(file), {})
  return options.expiresMs === undefined ? checked : withExpiry(checked, options.expiresMs)
}

function withExpiry(config: Config, expiresMs: number): Config {
  const streams = config.streams.map((stream) => {
    const { source } = stream
    return source.kind === 'kvs' ? { ...stream, source: { ...source, expiresMs } } : stream
  })
  return { ...config, streams }
}

function collect(lines: LogLine[]): Log {
  const at =
    (level: keyof Log) =>
    (event: string, fields: LogFields = {}): void => {
      lines.push({ level, event, fields })
    }
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}

function countersOf({ control }: Emulator, camera: string): CameraCounters {
  const counters = control.counters().cameras[camera]
  if (counters === undefined) throw new Error(`the emulator has no ${camera}`)
  return counters
}
