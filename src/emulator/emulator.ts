import type { Random } from '../base/backoff.ts'
import { type Clock, systemClock } from '../base/clock.ts'
import { listenerUrl } from '../base/listener-url.ts'
import { type EmulatorConfig, emulatorConfigSchema } from './config.ts'
import { Control } from './control/control.ts'
import { buildApp } from './http/app.ts'
import { Service } from './service/service.ts'

export type { Control, EmulatorConfig }

export interface EmulatorOptions {
  /** The host to listen on. Default 127.0.0.1. */
  readonly host?: string
  /** The port to listen on. Default 0: any free port. */
  readonly port?: number
  /** The clock by which cameras, sessions, latencies and slow bodies all live. */
  readonly clock?: Clock
  /** Returns AWS's own date, which signatures have to be near, in milliseconds since 1970. Default: this machine's. */
  readonly date?: () => number
  /** Chance for tokens, request ids and faults with a probability; cameras are deterministic without it. */
  readonly random?: Random
  /** The configuration; what is left out has the defaults of the README. */
  readonly config?: EmulatorConfig
}

export interface Emulator {
  /** The endpoint for AWS SDK clients: `http://127.0.0.1:PORT`, without a trailing slash. */
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
