import type { Random } from '../../base/backoff.ts'
import type { Clock } from '../../base/clock.ts'
import { Camera } from '../camera/camera.ts'
import type { CheckedEmulatorConfig } from '../config.ts'
import type { Session } from '../session/session.ts'
import { Sessions } from '../session/sessions.ts'
import { RoleSessions } from '../sts/role-sessions.ts'
import { Meter } from '../usage/meter.ts'
import { Usage } from '../usage/usage.ts'

/** Holds the account: its streams, their sessions, and what has been used. */
export class Service {
  readonly config: CheckedEmulatorConfig
  readonly clock: Clock
  readonly random: Random
  /** Returns the date that signatures have to be near, while cameras live by the clock, which tests move. */
  readonly date: () => number
  readonly cameras: ReadonlyMap<string, Camera>
  readonly sessions: Sessions
  readonly roleSessions: RoleSessions
  readonly usage = new Usage()
  accountMeters = newAccountMeters()

  constructor(config: CheckedEmulatorConfig, clock: Clock, random: Random, date: () => number) {
    this.config = config
    this.clock = clock
    this.random = random
    this.date = date
    this.cameras = new Map(
      Object.entries(config.cameras).map(([name, camera]) => {
        return [name, new Camera(name, config, camera, random)]
      }),
    )
    this.sessions = new Sessions(random)
    this.roleSessions = new RoleSessions(random)
  }

  sessionsOf(camera: Camera): readonly Session[] {
    return this.sessions.all.filter((session) => session.camera === camera)
  }

  resetUsage(): void {
    this.usage.reset()
    this.accountMeters = newAccountMeters()
    for (const camera of this.cameras.values()) camera.resetMeters()
    for (const session of this.sessions.all) session.meters.clear()
  }
}

function newAccountMeters(): { readonly GetDataEndpoint: Meter; readonly DescribeStream: Meter } {
  return { GetDataEndpoint: new Meter(), DescribeStream: new Meter() }
}
