import { type DestinationStream, type Logger as PinoLogger, pino } from 'pino'
import { z } from 'zod'
import type { Log, LogFields } from '../base/log.ts'
import { redact } from '../base/redact.ts'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent'

export interface LoggerOptions {
  readonly level: LogLevel
  /** How lines are written. Default: json, for machines; pretty is for a person at a terminal. */
  readonly format?: 'json' | 'pretty'
  /** Where lines go. Default: standard output. */
  readonly destination?: DestinationStream
}

/** A log whose lines may come to be others. */
export interface Logger extends Log {
  /** Writes in this way from now on. */
  configure(options: Omit<LoggerOptions, 'destination'>): void
}

/** Makes a log of lines by pino. Every line passes the redactor as a whole, whatever field a secret came in. */
export function createLogger({ destination, ...options }: LoggerOptions): Logger {
  const out = destination ?? pino.destination({ fd: 1, sync: true })
  let logger = pinoLogger(options, out)
  const write =
    (method: 'debug' | 'info' | 'warn' | 'error') =>
    (event: string, fields: LogFields = {}): void =>
      logger[method](fields, event)
  return {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    configure: (changed) => {
      logger = pinoLogger(changed, out)
    },
  }
}

function pinoLogger(
  { level, format }: Omit<LoggerOptions, 'destination'>,
  out: DestinationStream,
): PinoLogger {
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: { error: describeError },
    hooks: { streamWrite: redact },
  }
  return pino(options, format === 'pretty' ? prettyLines(out) : out)
}

/** How many causes in a row are told: enough to reach the socket under SDK under session; a cycle would never end. */
const DEEPEST_CAUSE = 6

/**
 * Describes an error as plain values, its causes included, because the reason of a 502 is usually the innermost one.
 */
function describeError(error: unknown, depth = 0): unknown {
  if (!(error instanceof Error)) return error
  const cause =
    error.cause === undefined || depth >= DEEPEST_CAUSE
      ? {}
      : { cause: describeError(error.cause, depth + 1) }
  const code = 'code' in error ? { code: error.code } : {}
  // One stack is enough to find the place; a cause's message says the rest.
  const stack = depth === 0 ? { stack: error.stack } : {}
  return { name: error.name, message: error.message, ...code, ...cause, ...stack }
}

const line = z.looseObject({ time: z.string(), level: z.string(), msg: z.string() })

/** Writes for a person at a terminal: time, level, event and the fields, in one line without JSON's noise. */
function prettyLines(out: { write(text: string): unknown }): DestinationStream {
  return {
    write(json) {
      const { time, level, msg, ...fields } = line.parse(JSON.parse(json))
      const told = Object.entries(fields).map(([name, value]) => `${name}=${show(value)}`)
      out.write(`${[time.slice(11, 23), level.toUpperCase().padEnd(5), msg, ...told].join(' ')}\n`)
    },
  }
}

/** What stands for itself in a line of `name=value`: no blanks, quotes, signs of equality, nor anything unseen. */
const PLAIN = /^[^\s"=\p{C}]+$/u
/** What terminals act on, and what turns the direction of writing. JSON escapes the rest. */
const UNSEEN = /[\p{C}\u2028\u2029]/gu

/** Writes a value so that no text from outside passes for a field, a line or an order to the terminal. */
function show(value: unknown): string {
  if (typeof value === 'string' && PLAIN.test(value)) return value
  return JSON.stringify(value).replaceAll(UNSEEN, (character) =>
    [...Array(character.length).keys()]
      .map((at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`)
      .join(''),
  )
}
