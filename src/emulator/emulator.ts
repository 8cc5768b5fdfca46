import type { Random } from '../base/backoff.ts'
import { type Clock, systemClock } from '../base/clock.ts'
import { listenerUrl } from '../base/listener-url.ts'
import { type EmulatorConfig, emulatorConfigSchema } from './config.ts'
import { Control } from './control/control.ts'
import { buildApp } from './http/app.ts'
import { Service } from './service/service.ts'

export type { Control, EmulatorConfig }

export interface EmulatorOptions {
  /** Default 127.0.0.1. */
  readonly host?: string
  /** Default 0: any free port. */
  readonly port?: number
  /** Cameras, sessions, latencies and slow bodies all live by it. */
  readonly clock?: Clock
  /** AWS's own date, which signatures have to be near. Default: this machine's. Milliseconds since 1970. */
  readonly date?: () => number
  /** For tokens, request ids and faults with a probability; cameras are deterministic without it. */
  readonly random?: Random
  /** What is left out has the defaults of the README. */
  readonly config?: EmulatorConfig
}

export interface Emulator {
  /** `http://127.0.0.1:PORT`, without a trailing slash: the endpoint for AWS SDK clients. */
  readonly url: string
  /** The control API, in process. */
  readonly control: Control
  /** Resolves when nothing is running any more; answers still on their way are cut. */
  close(): Promise<void>
}

/** Starts a local Kinesis Video Streams. Rejects with ZodError when the configuration is wrong. */
export async function startEmulator(options: EmulatorOptions = {}): Promise<Emulator> {
  const { host = '127.0.0.1', port = 0, clock = systemClock, random = Math.random } = options
  const { date = Date.now } = options
  const config = emulatorConfigSchema.parse(options.config ?? {})
  const service = new Service(config, clock, random, date)
  const control = new Control(service)
  const closing = new AbortController()
  const app = buildApp(service, control, closing.signal)
  await app.listen({ host, port })
  return {
    url: listenerUrl(app.server.address(), host),
    control,
    async close() {
      closing.abort()
      await app.close()
    },
  }
}
