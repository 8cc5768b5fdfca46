/** Reads and writes durations and sizes as people write them in the configuration: `500ms`, `12h`, `64MiB`. */

const DURATION_UNITS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const
const SIZE_UNITS = { B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 } as const

export const DURATION_PATTERN = pattern(DURATION_UNITS)
export const SIZE_PATTERN = pattern(SIZE_UNITS)

/** Reads a text that matches {@link DURATION_PATTERN} in milliseconds; NaN otherwise. */
export const durationMs = (text: string): number => read(text, DURATION_PATTERN, DURATION_UNITS)

/** Reads a text that matches {@link SIZE_PATTERN} in bytes; NaN otherwise. */
export const sizeBytes = (text: string): number => read(text, SIZE_PATTERN, SIZE_UNITS)

/** Writes a whole number of milliseconds in the shortest exact way: 7,200,000 is `2h`. */
export const formatDuration = (ms: number): string => (ms === 0 ? '0s' : write(ms, DURATION_UNITS))

/** Writes a whole number of bytes in the shortest exact way. */
export const formatSize = (bytes: number): string => write(bytes, SIZE_UNITS)

function pattern(units: Readonly<Record<string, number>>): RegExp {
  return new RegExp(`^(\\d{1,15})(${Object.keys(units).join('|')})$`)
}

function read(text: string, form: RegExp, units: Readonly<Record<string, number>>): number {
  const [, count, unit] = form.exec(text) ?? []
  return Number(count) * (units[unit ?? ''] ?? Number.NaN)
}

function write(value: number, units: Readonly<Record<string, number>>): string {
  const [unit, factor] = Object.entries(units).findLast(([, f]) => value % f === 0) ?? ['', 1]
  return `${value / factor}${unit}`
}
