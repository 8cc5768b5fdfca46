import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

const folder = import.meta.dirname
const page = readFileSync(join(folder, 'GUARANTEES.md'), 'utf8')

/** The files that the page names for each guarantee, by number. */
const named = new Map(
  page
    .split(/^\*\*G(?=\d)/m)
    .slice(1)
    .map((text) => [
      Number.parseInt(text, 10),
      [...text.matchAll(/\]\(([^)]+\.test\.ts)\)/g)].map(([, file = '']) => file),
    ]),
)

/** The guarantees that tests of a file are titled with. */
const titled = new Map(
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => [file, guarantees(readFileSync(join(folder, file), 'utf8'))] as const),
)

/** Numbers from titles such as `G2: …`, `G1, G6: …`, `G1, G4 to G7: …` and `G1–G7: …`. */
function guarantees(source: string): ReadonlySet<number> {
  const titles = source.matchAll(/['`](G\d+(?:(?:, | to |–)G\d+)*): /g)
  return new Set([...titles].flatMap(([, list = '']) => list.split(', ').flatMap(numbers)))
}

function numbers(range: string): readonly number[] {
  const [first = Number.NaN, last = first] = [...range.matchAll(/\d+/g)].map(Number)
  return Array.from({ length: last - first + 1 }, (_, i) => first + i)
}

test('all guarantees are on the page', () => {
  expect([...named.keys()]).toEqual(Array.from({ length: 18 }, (_, i) => i + 1))
})

test('each guarantee is proved where the page says', () => {
  const untrue = [...named].flatMap(([number, files]) =>
    files
      .filter((file) => titled.get(file)?.has(number) !== true)
      .map((file) => `G${number}: ${file}`),
  )
  expect(untrue).toEqual([])
  expect([...named].filter(([, files]) => files.length === 0)).toEqual([])
})

test('what tests are titled with is on the page', () => {
  const unknown = [...titled].flatMap(([file, found]) =>
    [...found].filter((number) => !named.has(number)).map((number) => `G${number}: ${file}`),
  )
  expect(unknown).toEqual([])
})
