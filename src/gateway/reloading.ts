import { GatewayError } from '../base/errors.ts'
import type { Log } from '../base/log.ts'
import type { Config } from '../config/config.ts'
import { type Fault, faultLine, formatKey } from '../config/fault.ts'
import { ConfigError } from '../config/load.ts'
import type { EventBus } from '../events/event-bus.ts'
import { NO_STORE } from '../http/headers.ts'
import { HttpError } from '../http/problem.ts'
import type { ReloadFault, ReloadReport } from '../http/routes/reload-api.ts'
import { inForce, planReload } from './plan-reload.ts'

export interface ReloadingOptions {
  readonly log: Log
  readonly events: Pick<EventBus, 'emit'>
  /**
   * Reads the configuration again, with all files that it names; undefined where there is no file.
   * @throws ConfigError
   */
  readonly read: (() => Promise<Config>) | undefined
  /** The streams that are there. */
  readonly open: () => Iterable<string>
  /**
   * Makes what runs that of a configuration. Returns the keys whose files hold something else than before.
   * @throws why not: then nothing has changed
   */
  readonly apply: (config: Config) => Promise<readonly string[]>
}

/** How many names or keys one log line tells. */
const MOST_TOLD = 20

const NOTHING: ReloadReport = {
  streams: { added: [], changed: [], sourceChanged: [], removed: [], unchanged: 0 },
  applied: [],
  needsRestart: [],
}

/** Reads the configuration again when somebody asks for it, one time after the other. */
export class Reloading {
  readonly #options: ReloadingOptions
  /** What is in force. */
  #config: Config
  #running: Promise<unknown> = Promise.resolve()
  /** The one that begins when the running one has ended, shared by all who ask meanwhile. */
  #next: Promise<ReloadReport> | undefined
  #isOver = false

  constructor(config: Config, options: ReloadingOptions) {
    this.#config = config
    this.#options = options
  }

  /**
   * Reads and applies it.
   * @throws GatewayError that says why not: then nothing has changed
   */
  readonly reload = (): Promise<ReloadReport> => {
    this.#next ??= this.#running.then(() => {
      this.#next = undefined
      const reloading = this.#reload()
      this.#running = reloading.catch(() => {})
      return reloading
    })
    return this.#next
  }

  /** Resolves when none is under way; there is none from now on. */
  async close(): Promise<void> {
    this.#isOver = true
    await this.#running
  }

  async #reload(): Promise<ReloadReport> {
    const { read, log } = this.#options
    if (this.#isOver) throw new GatewayError('no_media', 'The gateway is stopping.')
    if (read === undefined) {
      log.warn('configuration not read again', { why: 'there is no file' })
      throw refusal(409, 'The gateway was started without a file: there is nothing to read again.')
    }
    try {
      return await this.#apply(await read())
    } catch (error) {
      throw this.#refused(error)
    }
  }

  async #apply(read: Config): Promise<ReloadReport> {
    const { log, open, apply } = this.#options
    const plan = planReload(this.#config, read, open())
    const next = inForce(this.#config, read)
    const files = await apply(next)
    this.#config = next
    const report = { ...plan, applied: [...new Set([...plan.applied, ...files])] }
    const { streams, applied, needsRestart } = report
    const { unchanged, ...changes } = streams
    const changed = Object.entries(changes).flatMap(([kind, names]) =>
      names.length === 0 ? [] : [[kind, few(names)] as const],
    )
    log.info('configuration read again', {
      ...Object.fromEntries(changed),
      unchanged,
      applied,
      ...(needsRestart.length === 0 ? {} : { needsRestart: few(needsRestart) }),
    })
    this.#tell(report, true, 0)
    return report
  }

  #refused(error: unknown): Error {
    const { log } = this.#options
    if (!(error instanceof ConfigError)) {
      log.error('configuration not read again', { error })
      this.#tell(NOTHING, false, 0)
      return error instanceof Error ? error : new Error(String(error))
    }
    const { faults } = error
    for (const fault of faults) log.error('configuration fault', { fault: faultLine(fault) })
    log.error('configuration not read again', { faults: faults.length })
    this.#tell(NOTHING, false, faults.length)
    const count = faults.length === 1 ? 'a fault' : `${faults.length} faults`
    const detail = `The configuration has ${count}; nothing was changed.`
    return refusal(422, detail, { faults: faults.map(told), cause: error })
  }

  #tell({ streams, needsRestart }: ReloadReport, applied: boolean, faults: number): void {
    const { added, changed, sourceChanged, removed } = streams
    this.#options.events.emit('config.reloaded', {
      applied,
      faults,
      streams: {
        added: added.length,
        changed: changed.length + sourceChanged.length,
        removed: removed.length,
      },
      needRestart: needsRestart,
    })
  }
}

function told({ file, line, key, expected, got }: Fault): ReloadFault {
  return { file, line: line ?? null, key: formatKey(key), expected, got }
}

function refusal(
  httpStatus: number,
  detail: string,
  { faults, cause }: { readonly faults?: readonly ReloadFault[]; readonly cause?: Error } = {},
): HttpError {
  return new HttpError('bad_request', detail, {
    httpStatus,
    headers: NO_STORE,
    ...(faults === undefined ? {} : { members: { faults } }),
    ...(cause === undefined ? {} : { cause }),
  })
}

function few(names: readonly string[]): readonly string[] {
  return names.length <= MOST_TOLD
    ? names
    : [...names.slice(0, MOST_TOLD), `… ${names.length - MOST_TOLD} more`]
}
