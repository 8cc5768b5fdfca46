/** Says where in the file: `['streams', 'lobby', 'window']`, list positions as numbers. */
export type KeyPath = readonly (string | number)[]

/** One thing that is wrong with a configuration. */
export interface Fault {
  /** The file as it was named to us. */
  readonly file: string
  /** The line, from 1; undefined when the fault is the file's as a whole. */
  readonly line: number | undefined
  readonly key: KeyPath
  /** Completes “expected …”. */
  readonly expected: string
  /** Completes “got …”. Never a secret. */
  readonly got: string
}

/** Writes `gateway.yaml:12: streams.lobby.window: expected an integer from 1 to 1000, got "six"`; always one line. */
export function faultLine({ file, line, key, expected, got }: Fault): string {
  const where = line === undefined ? file : `${file}:${line}`
  const parts = key.length === 0 ? [where] : [where, formatKey(key)]
  return oneLine(`${parts.join(': ')}: expected ${expected}, got ${got}`)
}

/** Writes `a.b[0].c`; a name that is not plain is quoted: `streams["front door"]`. */
export function formatKey(path: KeyPath): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part}]`
    if (!/^[\w-]+$/.test(part)) return `${text}[${JSON.stringify(shorten(part))}]`
    return text === '' ? part : `${text}.${part}`
  }, '')
}

/** Shows a value as it stands after “got”. */
export function formatValue(value: unknown): string {
  if (value === undefined || value === null) return 'nothing'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return 'a mapping'
  return typeof value === 'string' ? JSON.stringify(shorten(value)) : JSON.stringify(value)
}

function shorten(text: string): string {
  return text.length <= 60 ? text : `${text.slice(0, 59)}…`
}

/** Escapes control characters of a hostile file, which must not reach a terminal. */
function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '?')
}
