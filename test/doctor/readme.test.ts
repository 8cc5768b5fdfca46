import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { CAUSES } from '../../src/doctor/diagnosis/causes.ts'

const README = new URL('../../src/doctor/README.md', import.meta.url)

/** The table of all causes, as the README has it. */
function table(): string {
  const rows = Object.entries(CAUSES).map(([code, { level, todo }]) => {
    return `| \`${code}\` | ${level} | ${todo.replaceAll('|', '\\|').replaceAll('*', '\\*')} |`
  })
  return ['| Code | | What to do |', '|---|---|---|', ...rows, ''].join('\n')
}

test('the README tells of every cause what the doctor tells', async () => {
  const [, written] = (await readFile(README, 'utf8')).split('<!-- causes -->\n\n')
  expect(written).toBe(table())
})
