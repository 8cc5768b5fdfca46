/** A number that only grows. Whoever counts often keeps the cell instead of looking it up. */
export interface Cell {
  value: number
}

interface Entry {
  readonly values: readonly string[]
  readonly cell: Cell
}

type Rename = (label: string, value: string) => string

/**
 * Counts per combination of label values, in plain numbers: counting is an addition, and the exposition format is
 * someone else's business.
 *
 * Every combination stays for ever, so label values come from configuration or from a fixed set, never from a request
 * (G17).
 */
export class Counter<Label extends string> {
  readonly labels: readonly Label[]
  readonly #rename: Rename
  readonly #cells = new Map<string, Entry>()
  /** The same by the first label, which is the stream's where there is one: of a thousand streams one must not cost a thousand. */
  readonly #byFirst = new Map<string, Entry[]>()

  /** @param rename what a label value is counted as; default: as itself */
  constructor(labels: readonly Label[], rename: Rename = (_label, value) => value) {
    this.labels = labels
    this.#rename = rename
  }

  /** Returns the number behind these label values, 0 at first. */
  cell(values: Readonly<Record<Label, string>>): Cell {
    const ordered = this.labels.map((label) => this.#rename(label, values[label]))
    const key = ordered.join('\n')
    let entry = this.#cells.get(key)
    if (entry === undefined) {
      entry = { values: ordered, cell: { value: 0 } }
      this.#cells.set(key, entry)
      const [first = ''] = ordered
      const alike = this.#byFirst.get(first)
      if (alike === undefined) this.#byFirst.set(first, [entry])
      else alike.push(entry)
    }
    return entry.cell
  }

  add(values: Readonly<Record<Label, string>>, amount = 1): void {
    this.cell(values).value += amount
  }

  /** Returns the sum over all combinations that agree with `values`. */
  total(values?: Readonly<Partial<Record<Label, string>>>): number {
    const wanted = this.labels.map((label) => {
      const value = values?.[label]
      return value === undefined ? undefined : this.#rename(label, value)
    })
    const agrees = (cell: readonly string[]): boolean =>
      wanted.every((value, i) => value === undefined || value === cell[i])
    const [first] = wanted
    const entries = first === undefined ? this.#cells.values() : (this.#byFirst.get(first) ?? [])
    return [...entries]
      .filter((entry) => agrees(entry.values))
      .reduce((sum, { cell }) => sum + cell.value, 0)
  }

  /** Forgets all combinations with that value. Whoever kept a cell of them counts for nobody. */
  forget(label: Label, value: string): void {
    const place = this.labels.indexOf(label)
    for (const [key, { values }] of this.#cells) {
      if (values[place] === value) this.#cells.delete(key)
    }
    for (const [first, entries] of this.#byFirst) {
      const left = entries.filter(({ values }) => values[place] !== value)
      if (left.length === 0) this.#byFirst.delete(first)
      else this.#byFirst.set(first, left)
    }
  }

  /** Yields everything counted so far, in the order of first use. */
  *samples(): Iterable<{ readonly labels: Record<string, string>; readonly value: number }> {
    for (const { values, cell } of this.#cells.values()) {
      const labels = Object.fromEntries(this.labels.map((label, i) => [label, values[i] ?? '']))
      yield { labels, value: cell.value }
    }
  }
}
