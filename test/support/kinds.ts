import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** What a test that runs other programs imports, itself or through others: players, decoders, a gateway of its own. */
const PROGRAMS = ['node:child_process', 'playwright-core']

/** What one imports that runs a whole server of ours. */
const SERVERS = ['src/gateway.ts', 'src/emulator/emulator.ts']

type Kind = 'quick' | 'served' | 'real'

/** An import or export with a source, the types apart: those are gone when a test runs. */
const IMPORT =
  /^(?:import|export)\s+(?!type\b)(?:[^'"]*?\bfrom\s+)?'([^']+)'|\bimport\('([^']+)'\)/gm

/**
 * Test files by what they need, found from what they import, so that nobody has to keep a list: `real` ones run programs, or
 * are told from end to end; `served` ones run a server of ours in their process; `quick` ones run by themselves.
 */
export function testFiles(): Readonly<Record<Kind, readonly string[]>> {
  const files = readdirSync(join(ROOT, 'test'), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.test.ts'))
    .map((file) => join('test', file))
  const kinds = new Map(files.map((file) => [file, kindOf(file)]))
  const of = (kind: Kind): readonly string[] => files.filter((file) => kinds.get(file) === kind)
  return { quick: of('quick'), served: of('served'), real: of('real') }
}

function kindOf(file: string): Kind {
  const reached = reach(file)
  if (PROGRAMS.some((name) => reached.has(name))) return 'real'
  if (!SERVERS.some((name) => reached.has(name))) return 'quick'
  return file.startsWith('test/e2e/') ? 'real' : 'served'
}

/** All that a file imports, itself or through others. */
function reach(file: string, reached = new Set<string>()): ReadonlySet<string> {
  for (const to of importsOf(file)) {
    if (reached.has(to)) continue
    reached.add(to)
    if (isOurs(to)) reach(to, reached)
  }
  return reached
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
