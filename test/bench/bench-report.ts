/** What a benchmark found: for people as a table, for scripts as it is. */
export interface BenchReport {
  readonly name: string
  /** What was measured, in one sentence. */
  readonly what: string
  readonly rows: readonly Readonly<Record<string, string | number>>[]
}

/** A table with aligned columns, as text. */
export function table({ name, what, rows }: BenchReport): string {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))]
  const cells = [columns, ...rows.map((row) => columns.map((column) => cell(row[column])))]
  const widths = columns.map((_, i) => Math.max(...cells.map((line) => line[i]?.length ?? 0)))
  const lines = cells.map((line) =>
    line
      .map((text, i) => (i === 0 ? text.padEnd(widths[i] ?? 0) : text.padStart(widths[i] ?? 0)))
      .join('  ')
      .trimEnd(),
  )
  return [`${name}: ${what}`, ...lines].join('\n')
}

function cell(value: string | number | undefined): string {
  if (value === undefined) return ''
  if (typeof value === 'string' || Number.isInteger(value)) return String(value)
  return value.toFixed(Math.abs(value) < 10 ? 2 : 1)
}
