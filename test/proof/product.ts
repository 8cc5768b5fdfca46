import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Child } from './child-process.ts'
import { EmulatorControl } from './emulator-control.ts'
import { freePort } from './free-port.ts'
import { GatewayAdmin } from './gateway-admin.ts'
import { startProgram, writeConfig } from './program.ts'

/** A gateway in a process of its own, as an operator would run it. */
export interface Gateway {
  readonly process: Child
  readonly admin: GatewayAdmin
  /** The multivariant playlist of a stream. */
  watchUrl(stream: string): string
  stop(): Promise<void>
}

export interface GatewayOptions {
  /** Of KVS: the emulator's URL, or whatever else speaks its protocol. */
  readonly endpoint: string
  /** Public names; stream `lobby` reads the KVS stream `lobby-camera`. */
  readonly streams: readonly string[]
  /** Goes into the configuration file under `defaults`. */
  readonly defaults?: Readonly<Record<string, unknown>>
  /** By stream: what goes under its `kvs`. */
  readonly sources?: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  readonly cacheMaxBytes?: string
  /** Pin it to one core, as `taskset -c` does. */
  readonly core?: number
}

/** Emulator and gateway. */
export interface Product extends Gateway {
  readonly control: EmulatorControl
}

export interface ProductOptions extends Omit<GatewayOptions, 'endpoint' | 'streams'> {
  /** Public name → the emulated camera's configuration. */
  readonly cameras: Readonly<Record<string, Readonly<Record<string, unknown>>>>
}

export const cameraOf = (stream: string): string => `${stream}-camera`

/** Resolves when the gateway accepts requests. */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const { endpoint, streams, defaults = {}, sources = {}, cacheMaxBytes = '128MiB', core } = options
  const folder = await mkdtemp(join(tmpdir(), 'kvs-gateway-'))
  const [port, adminPort] = [await freePort(), await freePort()]
  const config = await writeConfig(folder, {
    server: { host: '127.0.0.1', port },
    admin: { host: '127.0.0.1', port: adminPort },
    aws: { region: 'us-west-2', endpoint },
    cache: { maxBytes: cacheMaxBytes },
    log: { level: 'warn' },
    defaults,
    streams: Object.fromEntries(
      streams.map((name) => {
        return [name, { kvs: { streamName: cameraOf(name), ...sources[name] } }] as const
      }),
    ),
  })
  const url = `http://127.0.0.1:${port}`
  const process = await startProgram(['serve', '--config', config], url, core)
  return {
    process,
    admin: new GatewayAdmin(`http://127.0.0.1:${adminPort}`),
    watchUrl: (stream) => `${url}/hls/${stream}/master.m3u8`,
    async stop() {
      await process.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** Starts both, each in a process of its own; resolves when both accept requests. */
export async function startProduct({ cameras, ...options }: ProductOptions): Promise<Product> {
  const folder = await mkdtemp(join(tmpdir(), 'kvs-emulator-'))
  const endpoint = `http://127.0.0.1:${await freePort()}`
  const emulated = Object.entries(cameras).map(
    ([name, camera]) => [cameraOf(name), camera] as const,
  )
  const config = await writeConfig(folder, { cameras: Object.fromEntries(emulated) })
  const args = ['emulator', '--port', new URL(endpoint).port, '--config', config]
  const emulator = await startProgram(args, endpoint)
  const stopEmulator = async (): Promise<void> => {
    await emulator.stop()
    await rm(folder, { recursive: true, force: true })
  }
  try {
    const gateway = await startGateway({ ...options, endpoint, streams: Object.keys(cameras) })
    return {
      ...gateway,
      control: new EmulatorControl(endpoint),
      async stop() {
        await gateway.stop()
        await stopEmulator()
      },
    }
  } catch (error) {
    await stopEmulator()
    throw error
  }
}
