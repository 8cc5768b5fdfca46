import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** What a test has to import, itself or through others, to run a gateway, an emulator, a player or a decoder. */
const MEANS = new Set([
  'node:child_process',
  'playwright-core',
  'src/gateway.ts',
  'src/emulator/emulator.ts',
])

/** An import or export with a source, the types apart: those are gone when a test runs. */
const IMPORT =
  /^(?:import|export)\s+(?!type\b)(?:[^'"]*?\bfrom\s+)?'([^']+)'|\bimport\('([^']+)'\)/gm

/**
 * Test files by what they need, found from what they import, so that nobody has to keep a list: `real` ones run
 * programs or whole servers of ours, `quick` ones run by themselves.
 */
export function testFiles(): Record<'quick' | 'real', readonly string[]> {
  const files = readdirSync(join(ROOT, 'test'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.test.ts'))
    .map((file) => join('test', file))
  const real = new Set(files.filter((file) => reachesMeans(file)))
  return { quick: files.filter((file) => !real.has(file)), real: [...real] }
}

function reachesMeans(file: string, seen = new Set<string>()): boolean {
  seen.add(file)
  return importsOf(file).some(
    (to) => MEANS.has(to) || (isOurs(to) && !seen.has(to) && reachesMeans(to, seen)),
  )
}

/** What a file of ours imports: paths from the root, or names of libraries. */
function importsOf(file: string): readonly string[] {
  const text = readFileSync(join(ROOT, file), 'utf8')
  return [...text.matchAll(IMPORT)].map(([, source = '', dynamic = '']) => {
    const name = source === '' ? dynamic : source
    return name.startsWith('.') ? join(dirname(file), name) : name
  })
}

function isOurs(name: string): boolean {
  return /^(src|test)\/.*\.(ts|js)$/.test(name) && existsSync(join(ROOT, name))
}
