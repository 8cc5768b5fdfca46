import type { Random } from './base/backoff.ts'
import type { Clock } from './base/clock.ts'
import { GatewayError } from './base/errors.ts'
import type { Config } from './config/config.ts'

/** What the gateway takes from outside besides its configuration. */
export interface GatewayDeps {
  readonly clock: Clock
  readonly random: Random
}

export interface RunningGateway {
  /** Base URL of the public listener, without a slash at its end. */
  readonly publicUrl: string
  /** Base URL of the admin listener, without a slash at its end. */
  readonly adminUrl: string
  /** Stops accepting, answers who waits, closes sessions; resolves when nothing runs any more. */
  close(): Promise<void>
}

export type StartGateway = (config: Config, deps: GatewayDeps) => Promise<RunningGateway>

export const startGateway: StartGateway = () =>
  Promise.reject(new GatewayError('internal', 'the gateway is not wired together yet'))
