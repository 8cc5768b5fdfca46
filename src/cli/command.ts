import type { Environment } from '../config/environment.ts'

/** What a command sees of the process around it. */
export interface Terminal {
  readonly env: Environment
  /** Writes a result to standard output, one line. */
  readonly out: (line: string) => void
  /** Writes a fault to standard error, one line. */
  readonly err: (line: string) => void
  /** Calls back each time that the process is asked to read its configuration again; from then on that does not end it. */
  readonly onReload: (callback: () => void) => void
  /** Resolves when the process is asked to stop. */
  readonly untilStopped: () => Promise<void>
  /** Whether results are read by eyes that see colours. Default: false. */
  readonly isColoured?: boolean
  /** How many characters a line has room for. Default: any number. */
  readonly columns?: number | undefined
}

/** The exit codes, documented in the README, because scripts rely on them. */
export const EXIT = { ok: 0, fault: 1, usage: 2 } as const

export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

export interface OptionDoc {
  /** The value's name in the help; absent for an option that takes none, and is `''` where it is given. */
  readonly value?: string
  readonly doc: string
}

export interface Command {
  readonly name: string
  /** What it does, in one sentence. */
  readonly summary: string
  /** The names of the arguments that have to be there. */
  readonly operands: readonly string[]
  readonly options: Readonly<Record<string, OptionDoc>>
  run(args: Args, terminal: Terminal): Promise<ExitCode>
}

/** A checked command line: only known options, all operands. */
export interface Args {
  readonly operands: readonly string[]
  readonly options: Readonly<Partial<Record<string, string>>>
}

/** Says that the command line itself is wrong. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'UsageError'
  }
}
