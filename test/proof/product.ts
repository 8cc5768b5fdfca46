import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { stringify } from 'yaml'
import { Child } from './child-process.ts'
import { EmulatorControl } from './emulator-control.ts'
import { freePort } from './free-port.ts'
import { GatewayAdmin } from './gateway-admin.ts'

/** Emulator and gateway, each a process of its own, as an operator would run them. */
export interface Product {
  readonly emulator: Child
  readonly gateway: Child
  readonly control: EmulatorControl
  readonly admin: GatewayAdmin
  /** Of the public listener, without a slash at the end. */
  readonly publicUrl: string
  /** The multivariant playlist of a stream. */
  watchUrl(stream: string): string
  stop(): Promise<void>
}

export interface ProductOptions {
  /** Public name → the emulated camera's configuration. The camera is called `{name}-camera`. */
  readonly cameras: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  /** Goes into the gateway's configuration file under `defaults`. */
  readonly defaults?: Readonly<Record<string, unknown>>
  readonly cacheMaxBytes?: string
  /** Pin the gateway to one core, as `taskset -c` does. */
  readonly gatewayCore?: number
  /** And the emulator. */
  readonly emulatorCore?: number
}

const PROJECT = fileURLToPath(new URL('../..', import.meta.url))
const BIN = 'src/cli/bin.js'

export const cameraOf = (stream: string): string => `${stream}-camera`

/** Starts both, and resolves when both accept requests. */
export async function startProduct(options: ProductOptions): Promise<Product> {
  const folder = await mkdtemp(join(tmpdir(), 'kvs-product-'))
  const started: Child[] = []
  const stop = async (): Promise<void> => {
    await Promise.all(started.map((child) => child.stop()))
    await rm(folder, { recursive: true, force: true })
  }
  try {
    const emulatorUrl = `http://127.0.0.1:${await freePort()}`
    started.push(await startEmulator(folder, emulatorUrl, options))
    const [port, adminPort] = [await freePort(), await freePort()]
    started.push(await startGateway(folder, emulatorUrl, port, adminPort, options))
    const [emulator, gateway] = started
    if (emulator === undefined || gateway === undefined) throw new Error('unreachable')
    const publicUrl = `http://127.0.0.1:${port}`
    return {
      emulator,
      gateway,
      control: new EmulatorControl(emulatorUrl),
      admin: new GatewayAdmin(`http://127.0.0.1:${adminPort}`),
      publicUrl,
      watchUrl: (stream) => `${publicUrl}/hls/${stream}/master.m3u8`,
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

async function startEmulator(
  folder: string,
  url: string,
  { cameras, emulatorCore }: ProductOptions,
): Promise<Child> {
  const named: Record<string, unknown> = {}
  for (const [name, camera] of Object.entries(cameras)) named[cameraOf(name)] = camera
  const file = await configFile(folder, 'emulator.yaml', { cameras: named })
  const args = ['emulator', '--port', new URL(url).port, '--config', file]
  return startNode(args, url, emulatorCore)
}

async function startGateway(
  folder: string,
  emulatorUrl: string,
  port: number,
  adminPort: number,
  { cameras, defaults = {}, cacheMaxBytes = '128MiB', gatewayCore }: ProductOptions,
): Promise<Child> {
  const streams: Record<string, unknown> = {}
  for (const name of Object.keys(cameras)) streams[name] = { kvs: { streamName: cameraOf(name) } }
  const file = await configFile(folder, 'gateway.yaml', {
    server: { host: '127.0.0.1', port },
    admin: { host: '127.0.0.1', port: adminPort },
    aws: { region: 'us-west-2', endpoint: emulatorUrl },
    cache: { maxBytes: cacheMaxBytes },
    log: { level: 'warn' },
    defaults,
    streams,
  })
  return startNode(['serve', '--config', file], `http://127.0.0.1:${port}`, gatewayCore)
}

function startNode(args: readonly string[], url: string, core: number | undefined): Promise<Child> {
  const node = [process.execPath, BIN, ...args]
  const [command = '', ...rest] = core === undefined ? node : ['taskset', '-c', `${core}`, ...node]
  return Child.start({
    command,
    args: rest,
    cwd: PROJECT,
    // No credentials: with an endpoint of its own on loopback the gateway needs none.
    env: { PATH: process.env['PATH'] ?? '', HOME: tmpdir(), AWS_EC2_METADATA_DISABLED: 'true' },
    ready: new RegExp(`${url.replaceAll('.', '\\.')}\\b`),
  })
}

async function configFile(folder: string, name: string, content: unknown): Promise<string> {
  const file = join(folder, name)
  await writeFile(file, stringify(content))
  return file
}
