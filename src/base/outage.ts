import type { Log } from './log.ts'

export interface OutageMessages {
  readonly level: 'warn' | 'error'
  readonly fails: string
  readonly works: string
}

/** Logs when something begins to fail, and when it works again, rather than each attempt between. */
export class Outage {
  readonly #log: Log
  readonly #messages: OutageMessages
  #failing = false

  constructor(log: Log, messages: OutageMessages) {
    this.#log = log
    this.#messages = messages
  }

  /**
   * Returns what the work gives; undefined when it failed.
   * @param details what the log says of a failure
   * @param signal whose abort is no failure; rejects with its reason then
   */
  async attempt<T>(
    details: Readonly<Record<string, unknown>>,
    work: () => Promise<T>,
    signal?: AbortSignal,
  ): Promise<T | undefined> {
    const { level, fails, works } = this.#messages
    try {
      const result = await work()
      if (this.#failing) this.#log.info(works)
      this.#failing = false
      return result
    } catch (error) {
      signal?.throwIfAborted()
      if (!this.#failing) this.#log[level](fails, { ...details, error })
      this.#failing = true
      return undefined
    }
  }
}
