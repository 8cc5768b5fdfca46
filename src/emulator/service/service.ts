import type { Random } from '../../base/backoff.ts'
import type { Clock } from '../../base/clock.ts'
import { Camera } from '../camera/camera.ts'
import type { CameraConfig, CheckedEmulatorConfig } from '../config.ts'
import type { Session } from '../session/session.ts'
import { Sessions } from '../session/sessions.ts'
import { RoleSessions } from '../sts/role-sessions.ts'
import { Meter } from '../usage/meter.ts'
import { Usage } from '../usage/usage.ts'

/** How many cameras there may be, because a name once given is never free again. */
const MOST_CAMERAS = 10_000

/** Holds the account: its streams, their sessions, and what has been used. */
export class Service {
  readonly config: CheckedEmulatorConfig
  readonly clock: Clock
  readonly random: Random
  /** Returns the date that signatures have to be near, while cameras live by the clock, which tests move. */
  readonly date: () => number
  readonly #cameras: Map<string, Camera>
  readonly sessions: Sessions
  readonly roleSessions: RoleSessions
  readonly usage = new Usage()
  accountMeters = newAccountMeters()

  constructor(config: CheckedEmulatorConfig, clock: Clock, random: Random, date: () => number) {
    this.config = config
    this.clock = clock
    this.random = random
    this.date = date
    this.#cameras = new Map(
      Object.entries(config.cameras).map(([name, camera]) => {
        return [name, new Camera(name, config, camera, random)]
      }),
    )
    this.sessions = new Sessions(random)
    this.roleSessions = new RoleSessions(random)
  }

  get cameras(): ReadonlyMap<string, Camera> {
    return this.#cameras
  }

  /** Adds a camera. Throws RangeError when its name is taken, or there are too many. */
  addCamera(name: string, config: CameraConfig): void {
    if (this.#cameras.has(name)) throw new RangeError(`there is a camera ${name}`)
    if (this.#cameras.size >= MOST_CAMERAS) throw new RangeError(`over ${MOST_CAMERAS} cameras`)
    this.#cameras.set(name, new Camera(name, this.config, config, this.random))
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
