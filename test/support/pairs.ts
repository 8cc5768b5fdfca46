type Factors = Readonly<Record<string, readonly unknown[]>>

/** One value of each factor. */
export type Row<F extends Factors> = { readonly [K in keyof F]: F[K][number] }

/**
 * A table in which each value of each factor meets each value of every other one at least once. Trouble that takes
 * one setting, or two together, is thus met, in some tens of rows instead of the thousands of the full product.
 * The same factors give the same rows.
 */
export function pairs<F extends Factors>(factors: F): readonly Row<F>[] {
  const names = Object.keys(factors)
  const sizes = names.map((name) => factors[name]?.length ?? 0)
  const open = new Set(
    names.flatMap((_, a) =>
      names.slice(a + 1).flatMap((_, i) => {
        const b = a + 1 + i
        return product(sizes[a] ?? 0, sizes[b] ?? 0).map(([x, y]) => pair(a, x, b, y))
      }),
    ),
  )
  const rows: Row<F>[] = []
  for (;;) {
    const [first] = open
    if (first === undefined) return rows
    const chosen = fill(first, sizes, open)
    for (const met of pairsOf(chosen)) open.delete(met)
    const values = names.map((name, i) => [name, factors[name]?.[chosen.get(i) ?? 0]] as const)
    rows.push(Object.fromEntries(values) as Row<F>)
  }
}

/** Chooses a value for each factor, beginning with a pair that is missing, so that it meets many more of those. */
function fill(first: string, sizes: readonly number[], open: ReadonlySet<string>): Chosen {
  const chosen: Chosen = new Map()
  for (const place of first.split(' ')) {
    const [factor = 0, value = 0] = place.split('=').map(Number)
    chosen.set(factor, value)
  }
  for (const [factor, size] of sizes.entries()) {
    if (chosen.has(factor)) continue
    const gains = Array.from({ length: size }, (_, value) => {
      const more = pairsOf(new Map([...chosen, [factor, value]])).filter((met) => open.has(met))
      return more.length
    })
    chosen.set(factor, gains.indexOf(Math.max(...gains)))
  }
  return chosen
}

/** Value by factor, both by their number. */
type Chosen = Map<number, number>

function pairsOf(chosen: Chosen): readonly string[] {
  const entries = [...chosen].toSorted(([a], [b]) => a - b)
  return entries.flatMap(([a, x], i) => entries.slice(i + 1).map(([b, y]) => pair(a, x, b, y)))
}

const pair = (a: number, x: number, b: number, y: number): string => `${a}=${x} ${b}=${y}`

function product(width: number, height: number): readonly (readonly [number, number])[] {
  return Array.from({ length: width * height }, (_, i) => [Math.floor(i / height), i % height])
}
