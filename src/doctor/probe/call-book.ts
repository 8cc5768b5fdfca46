import type { IncomingHttpHeaders } from 'node:http'
import type { Clock } from '../../base/clock.ts'
import type { Call, Fault } from '../../trace/trace.ts'
import type { Seen, SeenFault } from '../../upstream/seen.ts'

/** Header fields that tell how a server answers, and nothing about who asked. */
const TOLD_HEADERS = [
  'accept-ranges',
  'access-control-allow-origin',
  'cache-control',
  'content-encoding',
  'content-type',
  'transfer-encoding',
  'vary',
]

/** A Date has whole seconds: it is from half a second later, on average. */
const DATE_ROUNDING_MS = 500

/** Writes down each call that is made for one stream, and how it went. */
export class CallBook {
  readonly #clock: Clock
  readonly #beganMs: number
  readonly #calls: Call[] = []

  constructor(clock: Clock) {
    this.#clock = clock
    this.#beganMs = clock.now()
  }

  get calls(): Call[] {
    return [...this.#calls]
  }

  /** How long it has been since the first look, in milliseconds. */
  get elapsedMs(): number {
    return Math.round(this.#clock.now() - this.#beganMs)
  }

  /** Makes a call, and writes it down. Those that fail are no reason to stop. */
  async note<T>(
    operation: string,
    detail: string | undefined,
    ask: () => Promise<Seen<T>>,
  ): Promise<Seen<T>> {
    const atMs = this.elapsedMs
    const seen = await ask()
    const { status, dateMs, value, fault } = seen
    this.#calls.push({
      operation,
      ...(detail === undefined ? {} : { detail }),
      atMs,
      tookMs: this.elapsedMs - atMs,
      ...(status === undefined ? {} : { status }),
      ...(dateMs === undefined
        ? {}
        : { aheadMs: Math.round(dateMs + DATE_ROUNDING_MS - this.#clock.date()) }),
      ...(seen.headers === undefined ? {} : { headers: toldHeaders(seen.headers) }),
      ...(Buffer.isBuffer(value) ? { bytes: value.length } : {}),
      ...(fault === undefined ? {} : { fault: readFault(fault) }),
    })
    return seen
  }
}

function toldHeaders(headers: IncomingHttpHeaders): Record<string, string> {
  return Object.fromEntries(
    TOLD_HEADERS.flatMap((name) => {
      const value = headers[name]
      return value === undefined ? [] : [[name, [value].flat().join(', ')]]
    }),
  )
}

const MISSING_ACTION = /not authorized to perform: ([a-z0-9-]{1,40}:[A-Za-z]{1,80})/
const ACCOUNT = /\barn:aws[a-z-]*:[a-z0-9-]*:[a-z0-9-]*:(\d{12}):/g

/** Reads from a refusal what is missing, and whose the stream is, before accounts are masked. */
export function readFault({ name, message }: SeenFault): Fault {
  // A key that cannot be used is told without the action.
  const [, action = /\barn:aws[a-z-]*:kms:/.test(message) ? 'kms:Decrypt' : undefined] =
    MISSING_ACTION.exec(message) ?? []
  const [asker, owner] = Array.from(message.matchAll(ACCOUNT), ([, account]) => account)
  const crossAccount = owner === undefined ? undefined : owner !== asker
  return {
    name,
    message,
    ...(action === undefined ? {} : { action }),
    ...(crossAccount === undefined ? {} : { crossAccount }),
  }
}
