import type { Random } from '../../src/base/backoff.ts'
import type { Clock } from '../../src/base/clock.ts'
import { between, pick } from '../proof/seeded-random.ts'
import type { Excuses } from './excuses.ts'
import { chooseTrouble, type Trouble, type Victim } from './troubles.ts'

export interface TroubleMakerOptions {
  readonly clock: Clock
  readonly signal: AbortSignal
  readonly random: Random
  readonly excuses: Excuses
  /** Public stream name → what can be done to it. */
  readonly victims: ReadonlyMap<string, Victim>
  /** Told of each trouble as it is made: what went wrong is looked for here first. */
  readonly log: (line: string) => void
  /** Between two troubles, whichever stream they hit, in seconds. */
  readonly everyS?: readonly [number, number]
}

/** After the cause has gone: for polls, retries with back-off, and a player's buffer to run dry late. */
const RECOVERY_MS = 30_000

/** Inflicts one trouble after the other on streams chosen by chance, until the signal aborts. */
export class TroubleMaker {
  readonly #options: TroubleMakerOptions
  readonly #counts = new Map<string, number>()
  readonly #failures: string[] = []
  readonly #running = new Set<Promise<void>>()
  /** A stream whose camera is away already is left alone. */
  readonly #busy = new Set<string>()

  constructor(options: TroubleMakerOptions) {
    this.#options = options
  }

  /** How often each trouble was inflicted. */
  get counts(): ReadonlyMap<string, number> {
    return this.#counts
  }

  /** Troubles that could not be inflicted: the soak proves less than it says. */
  get failures(): readonly string[] {
    return this.#failures
  }

  async run(): Promise<void> {
    const { clock, signal, random, everyS = [2, 8] } = this.#options
    try {
      for (;;) {
        await clock.sleep(between(random, ...everyS) * 1000, signal)
        this.#strike()
      }
    } catch (error) {
      if (!signal.aborted) throw error
    } finally {
      await Promise.allSettled(this.#running)
    }
  }

  #strike(): void {
    const { random, victims } = this.#options
    const [stream, victim] = pick(random, [...victims])
    const trouble = chooseTrouble(random, victim)
    if (this.#busy.has(stream)) return
    const running = this.#inflict(stream, victim, trouble).finally(() => {
      this.#running.delete(running)
    })
    this.#running.add(running)
  }

  async #inflict(stream: string, victim: Victim, trouble: Trouble): Promise<void> {
    const { clock, excuses, random, signal, log } = this.#options
    log(`${stream}: ${trouble.name}`)
    const mostMs = trouble.isAbsence === true ? victim.coveredWithinMs : undefined
    const close = excuses.open(stream, trouble.harms, clock.now(), mostMs)
    // A slate is shown, but no recording has it.
    const closeRecording =
      trouble.isAbsence === true
        ? excuses.open(stream, ['records nothing'], clock.now())
        : (): void => {}
    this.#counts.set(trouble.name, (this.#counts.get(trouble.name) ?? 0) + 1)
    this.#busy.add(stream)
    try {
      await trouble.inflict(victim, random)
    } catch (error) {
      if (!signal.aborted) this.#failures.push(`${trouble.name} on ${stream}: ${String(error)}`)
    } finally {
      this.#busy.delete(stream)
      const endMs = clock.now() + RECOVERY_MS
      close(endMs)
      closeRecording(endMs)
    }
  }
}
