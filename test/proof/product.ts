import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Child } from './child-process.ts'
import { EmulatorControl } from './emulator-control.ts'
import { freePort } from './free-port.ts'
import { GatewayAdmin } from './gateway-admin.ts'
import { fakeClock, startProgram, writeConfig } from './program.ts'

/** A gateway in a process of its own, as an operator would run it. */
export interface Gateway {
  readonly process: Child
  readonly admin: GatewayAdmin
  readonly adminUrl: string
  /** Of the public listener, without a slash at its end. */
  readonly url: string
  /** The multivariant playlist of a stream. */
  watchUrl(stream: string): string
  /** Has it read its file again, in which these sections are others by now. */
  reload(sections: Readonly<Record<string, unknown>>): Promise<void>
  stop(): Promise<void>
}

export interface GatewayOptions {
  /** Of KVS: the emulator's URL, or whatever else speaks its protocol. */
  readonly endpoint: string
  /** Public names; stream `lobby` reads the KVS stream `lobby-camera`. */
  readonly streams: readonly string[]
  /** Goes into the configuration file under `defaults`. */
  readonly defaults?: Readonly<Record<string, unknown>>
  /**
   * By public name: what stands in the file for these streams instead of a camera's name, or besides those
   * of `streams`. `url` is the gateway's own, for streams that follow another one of it.
   */
  readonly entries?: (url: string) => Readonly<Record<string, unknown>>
  /** Goes into the configuration file as it is. */
  readonly dynamicStreams?: readonly unknown[]
  readonly cacheMaxBytes?: string
  /** Bound of a disk tier, for example `1GiB`. Left out: none. */
  readonly diskMaxBytes?: string
  /** The Redis that it shares with other nodes. */
  readonly redis?: Readonly<Record<string, unknown>> | undefined
  /** Left out: any that is free. */
  readonly port?: number
  /** Other processes listen on the port, too. */
  readonly reusePort?: boolean
  /** Seconds by which its clock is ahead of others'; what it measures by is not. */
  readonly clockS?: number
  /** Pin it to one core, as `taskset -c` does. */
  readonly core?: number
}

/** Emulator and gateway. */
export interface Product extends Gateway {
  /** The emulator's URL. */
  readonly endpoint: string
  readonly control: EmulatorControl
}

export interface ProductOptions extends Omit<GatewayOptions, 'endpoint' | 'streams'> {
  /** Public name → the emulated camera's configuration. */
  readonly cameras: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  /** Default: one of each camera. */
  readonly streams?: readonly string[]
}

export const cameraOf = (stream: string): string => `${stream}-camera`

/** A stream's entry in the configuration file. */
export const ofCamera = (
  stream: string,
  kvs: Readonly<Record<string, unknown>> = {},
): Readonly<Record<string, unknown>> => ({ kvs: { streamName: cameraOf(stream), ...kvs } })

/** Resolves when the gateway accepts requests. */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const { endpoint, streams, defaults = {}, entries = () => ({}), core } = options
  const { dynamicStreams = [], cacheMaxBytes = '128MiB', diskMaxBytes, redis = {} } = options
  const folder = await mkdtemp(join(tmpdir(), 'kvs-gateway-'))
  const { port = await freePort(), reusePort = false } = options
  const adminPort = await freePort()
  const url = `http://127.0.0.1:${port}`
  const adminUrl = `http://127.0.0.1:${adminPort}`
  const disk =
    diskMaxBytes === undefined ? {} : { dir: join(folder, 'cache'), dirMaxBytes: diskMaxBytes }
  const sections = {
    server: { host: '127.0.0.1', port, reusePort },
    admin: { host: '127.0.0.1', port: adminPort },
    aws: { region: 'us-west-2', endpoint },
    cache: { maxBytes: cacheMaxBytes, ...disk },
    redis,
    log: { level: 'warn' },
    defaults,
    streams: {
      ...Object.fromEntries(streams.map((name) => [name, ofCamera(name)] as const)),
      ...entries(url),
    },
    dynamicStreams,
  }
  const config = await writeConfig(folder, sections)
  const env = options.clockS === undefined ? {} : await fakeClock(options.clockS)
  const process = await startProgram(['serve', '--config', config], url, { core, env })
  return {
    process,
    url,
    admin: new GatewayAdmin(adminUrl),
    adminUrl,
    watchUrl: (stream) => `${url}/hls/${stream}/master.m3u8`,
    async reload(others) {
      await writeConfig(folder, { ...sections, ...others })
      const answer = await fetch(`${adminUrl}/api/v1/reload`, { method: 'POST' })
      if (!answer.ok) throw new Error(`reload: ${answer.status} ${await answer.text()}`)
    },
    async stop() {
      await process.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** An emulator in a process of its own. */
export interface Emulator {
  readonly endpoint: string
  readonly control: EmulatorControl
  stop(): Promise<void>
}

/** Resolves when the emulator accepts requests. */
export async function startEmulator(cameras: ProductOptions['cameras']): Promise<Emulator> {
  const folder = await mkdtemp(join(tmpdir(), 'kvs-emulator-'))
  const endpoint = `http://127.0.0.1:${await freePort()}`
  const emulated = Object.entries(cameras).map(
    ([name, camera]) => [cameraOf(name), camera] as const,
  )
  const config = await writeConfig(folder, { cameras: Object.fromEntries(emulated) })
  const args = ['emulator', '--port', new URL(endpoint).port, '--config', config]
  const emulator = await startProgram(args, endpoint)
  return {
    endpoint,
    control: new EmulatorControl(endpoint),
    async stop() {
      await emulator.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** Starts both, each in a process of its own; resolves when both accept requests. */
export async function startProduct(options: ProductOptions): Promise<Product> {
  const { cameras, streams = Object.keys(cameras) } = options
  const emulator = await startEmulator(cameras)
  const { endpoint, control } = emulator
  try {
    const gateway = await startGateway({ ...options, endpoint, streams })
    return {
      ...gateway,
      endpoint,
      control,
      async stop() {
        await gateway.stop()
        await emulator.stop()
      },
    }
  } catch (error) {
    await emulator.stop()
    throw error
  }
}
