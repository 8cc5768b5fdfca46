import type { Random } from '../../base/backoff.ts'

/** Temporary credentials, and whose they are. */
export interface RoleSession {
  readonly roleArn: string
  /** The user that refusals name: `arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION`. */
  readonly userArn: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken: string
  readonly expiresMs: number
}

export interface RoleRequest {
  readonly roleArn: string
  readonly sessionName: string
  readonly expiresMs: number
}

/** How many are remembered; beyond this the oldest are forgotten. */
const MOST_SESSIONS = 10_000
const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/**
 * Holds all temporary credentials that were given out, expired ones included, because each is refused in its own way.
 */
export class RoleSessions {
  readonly #random: Random
  readonly #byKey = new Map<string, RoleSession>()

  constructor(random: Random) {
    this.#random = random
  }

  find(accessKeyId: string): RoleSession | undefined {
    return this.#byKey.get(accessKeyId)
  }

  issue({ roleArn, sessionName, expiresMs }: RoleRequest): RoleSession {
    const session = {
      roleArn,
      userArn: `${assumed(roleArn)}/${sessionName}`,
      accessKeyId: `ASIAEMULATED${this.#letters(8)}`,
      secretAccessKey: this.#letters(40),
      sessionToken: `emulated-${this.#letters(160)}`,
      expiresMs,
    }
    this.#byKey.set(session.accessKeyId, session)
    for (const oldest of this.#byKey.keys()) {
      if (this.#byKey.size <= MOST_SESSIONS) break
      this.#byKey.delete(oldest)
    }
    return session
  }

  #letters(count: number): string {
    const letter = (): string => LETTERS.charAt(Math.floor(this.#random() * LETTERS.length))
    return Array.from({ length: count }, letter).join('')
  }
}

/** Turns `arn:aws:iam::1:role/path/name` into `arn:aws:sts::1:assumed-role/name`: a role's path is left out. */
function assumed(roleArn: string): string {
  const [account = ''] = /\d{12}/.exec(roleArn) ?? []
  return `arn:aws:sts::${account}:assumed-role/${roleArn.split('/').at(-1)}`
}
