import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

export interface ChildOptions {
  readonly command: string
  readonly args: readonly string[]
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
  /** The line, on stdout or stderr, that says it is ready. */
  readonly ready: RegExp
  readonly startMs?: number
}

/** Nothing that works takes so long, on a machine however busy. */
const START_MS = 240_000
const STOP_MS = 60_000
const LINES_KEPT = 200

/** A program that a test starts as a user would: by its command line, until a line says it is ready. */
export class Child {
  readonly #process: ChildProcess
  readonly #exited: Promise<void>
  readonly #lines: string[] = []
  #onLine: (line: string) => void = () => {}

  private constructor({ command, args, cwd, env }: ChildOptions) {
    this.#process = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
    this.#exited = new Promise((resolve) => {
      this.#process.once('exit', () => resolve())
      this.#process.once('error', (error) => {
        this.#take(String(error))
        resolve()
      })
    })
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      if (stream !== null) createInterface(stream).on('line', (line) => this.#take(line))
    }
  }

  /** Rejects with its last lines when it ends, or says nothing, before it is ready. */
  static async start(options: ChildOptions): Promise<Child> {
    const child = new Child(options)
    try {
      await child.#waitFor(options.ready, options.startMs ?? START_MS)
      return child
    } catch (error) {
      await child.stop()
      throw error
    }
  }

  get pid(): number {
    const { pid } = this.#process
    if (pid === undefined) throw new Error('the program did not start')
    return pid
  }

  get running(): boolean {
    return this.#process.exitCode === null && this.#process.signalCode === null
  }

  /** The newest lines that it printed. */
  get lines(): readonly string[] {
    return this.#lines
  }

  /** SIGTERM, and SIGKILL for one that does not listen. */
  async stop(): Promise<void> {
    if (!this.running || this.#process.pid === undefined) return
    this.#process.kill('SIGTERM')
    const late = setTimeout(() => this.#process.kill('SIGKILL'), STOP_MS)
    await this.#exited
    clearTimeout(late)
  }

  #take(line: string): void {
    this.#lines.push(line)
    if (this.#lines.length > LINES_KEPT) this.#lines.shift()
    this.#onLine(line)
  }

  #waitFor(ready: RegExp, ms: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const fail = (why: string): void => reject(new Error(`${why}\n${this.#lines.join('\n')}`))
      const late = setTimeout(() => fail(`not ready within ${ms} ms`), ms)
      void this.#exited.then(() => fail('ended before it was ready'))
      this.#onLine = (line) => {
        if (!ready.test(line)) return
        clearTimeout(late)
        this.#onLine = () => {}
        resolve()
      }
    })
  }
}
