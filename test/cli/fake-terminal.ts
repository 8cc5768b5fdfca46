import type { Terminal } from '../../src/cli/command.ts'
import type { Environment } from '../../src/config/environment.ts'

/** A terminal that remembers what was printed, and stops the command when told to. */
export class FakeTerminal implements Terminal {
  readonly outLines: string[] = []
  readonly errLines: string[] = []
  readonly env: Environment
  readonly #stop = Promise.withResolvers<undefined>()

  constructor(env: Environment = {}) {
    this.env = env
  }

  readonly out = (line: string): void => {
    this.outLines.push(line)
  }
  readonly err = (line: string): void => {
    this.errLines.push(line)
  }
  reload: () => void = () => {}

  readonly onReload = (callback: () => void): void => {
    this.reload = callback
  }
  readonly untilStopped = (): Promise<void> => this.#stop.promise

  stop(): void {
    this.#stop.resolve(undefined)
  }
}
