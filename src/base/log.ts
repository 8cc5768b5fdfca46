/** Says what an event is about: plain values, named for the reader. An `error` keeps its causes. */
export type LogFields = Readonly<Record<string, unknown>>

/**
 * Lets every layer tell an operator what happened: one line per event that a person would want to know of, named in a
 * few words ("session opened"), the particulars as fields.
 */
export interface Log {
  debug(event: string, fields?: LogFields): void
  info(event: string, fields?: LogFields): void
  warn(event: string, fields?: LogFields): void
  error(event: string, fields?: LogFields): void
}

export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} }

/** Returns the same log with these fields in every line, as for all that concerns one stream. */
export function about(log: Log, fixed: LogFields): Log {
  const bind =
    (method: keyof Log) =>
    (event: string, fields: LogFields = {}): void =>
      log[method](event, { ...fixed, ...fields })
  return { debug: bind('debug'), info: bind('info'), warn: bind('warn'), error: bind('error') }
}
