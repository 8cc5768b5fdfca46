import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))

/**
 * Each part of src, and the parts that it may import: the arrows of ARCHITECTURE.md. Nothing points
 * upwards. What is not in this table does not exist, so a new part begins with a line here.
 */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  base: [],
  metrics: ['base'],
  log: ['base'],
  config: ['base'],
  events: ['metrics', 'base'],
  formats: ['base'],
  timeline: ['formats', 'base'],
  store: ['metrics', 'base'],
  upstream: ['formats', 'metrics', 'base'],
  slate: ['formats', 'base'],
  ingest: ['upstream', 'timeline', 'store', 'formats', 'base'],
  sources: ['ingest', 'slate', 'upstream', 'store', 'timeline', 'formats', 'metrics', 'base'],
  publish: ['ingest', 'upstream', 'store', 'timeline', 'formats', 'metrics', 'base'],
  cluster: ['store', 'timeline', 'metrics', 'base'],
  archive: ['ingest', 'upstream', 'store', 'timeline', 'formats', 'metrics', 'base'],
  streams: [
    'archive',
    'sources',
    'publish',
    'ingest',
    'cluster',
    'slate',
    'upstream',
    'store',
    'timeline',
    'formats',
    'events',
    'metrics',
    'base',
  ],
  render: ['timeline', 'formats', 'base'],
  web: [],
  http: [
    'streams',
    'publish',
    'archive',
    'render',
    'store',
    'timeline',
    'formats',
    'events',
    'metrics',
    'base',
  ],
  // A local KVS. Sharing code with the client side, both would agree on the same mistake.
  emulator: ['trace', 'base'],
  // What the doctor saw, as it is written down.
  trace: ['base'],
  // A first look at streams, and what is wrong with them.
  doctor: ['upstream', 'formats', 'metrics', 'config', 'trace', 'base'],
  // The composition root knows every implementation.
  gateway: [
    'http',
    'streams',
    'archive',
    'sources',
    'publish',
    'render',
    'cluster',
    'ingest',
    'slate',
    'store',
    'upstream',
    'timeline',
    'formats',
    'events',
    'config',
    'log',
    'metrics',
    'base',
  ],
  cli: ['gateway', 'emulator', 'doctor', 'trace', 'config', 'formats', 'base'],
}

/** What a fragment is: types alone, which all parts share. */
const VOCABULARY = 'src/timeline/fragment.ts'

/** Libraries that only one part of us should know. */
const ONLY_IN: Readonly<Record<string, readonly string[]>> = {
  '@aws-sdk/client-kinesis-video': ['upstream'],
  '@aws-sdk/client-kinesis-video-archived-media': ['upstream'],
  '@aws-sdk/credential-providers': ['upstream'],
  'm3u8-parser': ['formats'],
  mp4box: ['formats'],
  yaml: ['config'],
  pino: ['log'],
  'prom-client': ['http', 'metrics'],
  '@fastify/reply-from': ['http'],
  fastify: ['http', 'emulator', 'gateway'],
  ioredis: ['cluster'],
  jose: ['http'],
  undici: ['upstream', 'gateway'],
}

interface Import {
  readonly from: string
  readonly to: string
}

const files = filesBelow(join(root, 'src')).filter((file) => /\.(ts|js)$/.test(file))
const sources = files.filter((file) => !file.startsWith('src/web/pages/'))
const imports = sources.flatMap(importsOf)
const local = imports.filter(({ to }) => to.startsWith('src/'))

describe('imports', () => {
  test('are there to be read', () => {
    expect(local.length).toBeGreaterThan(20)
  })

  test('lead to files', () => {
    expect(local.filter(({ to }) => !existsSync(join(root, to))).map(show)).toEqual([])
  })

  test('point downwards', () => {
    const wrong = local.filter(({ from, to }) => {
      if (to === VOCABULARY) return false
      const part = partOf(from)
      return part !== partOf(to) && MAY_IMPORT[part]?.includes(partOf(to)) !== true
    })
    expect(wrong.map(show)).toEqual([])
  })

  test('of the shared vocabulary bring no more than formats along', () => {
    const brought = local.filter(({ from }) => from === VOCABULARY).map(({ to }) => partOf(to))
    expect(brought.filter((part) => part !== 'formats')).toEqual([])
  })

  test('form no cycle', () => {
    expect(cycles(local)).toEqual([])
  })

  test('of libraries stay where the library belongs', () => {
    const wrong = imports.filter(({ from, to }) => ONLY_IN[to]?.includes(partOf(from)) === false)
    expect(wrong.map(show)).toEqual([])
  })
})

test('every part of src is in the table', () => {
  expect([...new Set(files.map(partOf))].filter((part) => MAY_IMPORT[part] === undefined)).toEqual(
    [],
  )
})

test('the table itself has no upward arrow', () => {
  const arrows = Object.entries(MAY_IMPORT).flatMap(([from, parts]) =>
    parts.map((to) => ({ from, to })),
  )
  expect(cycles(arrows)).toEqual([])
})

test.each([
  ['a temporary folder', /["'` (=]\/tmp\/[\w.]/],
  ['a home folder', /\/(home|Users)\/[a-z][\w-]*\//],
  ['a private registry', /registry\.npmjs\.org|npm_config_registry|_authToken/],
  ['an AWS key', /\bAKIA(?!IOSFODNN7EXAMPLE)[A-Z0-9]{16}\b/],
])('nothing in the repository names %s', (_, pattern) => {
  const found = repositoryTexts().filter(({ text }) => pattern.test(text))
  expect(found.map(({ file }) => file)).toEqual([])
})

/** `src/http/routes/hls.ts` belongs to `http`, `src/gateway.ts` to `gateway`. */
function partOf(file: string): string {
  return /^src\/([\w-]+)/.exec(file)?.[1] ?? ''
}

function show({ from, to }: Import): string {
  return `${from} → ${to}`
}

/** Static, dynamic and type imports alike: a type, too, is knowledge. */
function importsOf(from: string): readonly Import[] {
  const text = readFileSync(join(root, from), 'utf8')
  const specifiers = text.matchAll(
    /^(?:import|export)\b[^'"`;]*?from '([^']+)'|\bimport\(\s*'([^']+)'|^import '([^']+)'/gm,
  )
  return Array.from(specifiers, ([, a, b, c]) => a ?? b ?? c ?? '').map((specifier) => ({
    from,
    to: specifier.startsWith('.')
      ? relative(root, join(root, dirname(from), specifier))
      : specifier,
  }))
}

/** Every way back to where one came from, told once, by its smallest member. */
function cycles(arrows: readonly Import[]): readonly string[] {
  const next = Map.groupBy(arrows, ({ from }) => from)
  const done = new Set<string>()
  const found: string[] = []
  const visit = (node: string, path: readonly string[]): void => {
    if (path.includes(node)) found.push([...path.slice(path.indexOf(node)), node].join(' → '))
    if (path.includes(node) || done.has(node)) return
    for (const { to } of next.get(node) ?? []) visit(to, [...path, node])
    done.add(node)
  }
  for (const node of next.keys()) visit(node, [])
  return found
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((file) => statSync(file).isFile())
    .map((file) => relative(root, file))
}

/** Our own text, without the lockfile, which has to name its registry, and without this file. */
function repositoryTexts(): readonly { file: string; text: string }[] {
  const folders = ['.ci', 'config', 'src', 'test'].map((name) => join(root, name))
  return [...readdirSync(root), ...folders.flatMap(filesBelow)]
    .filter((file) => /\.(ts|js|json|md|ya?ml|html|css|m3u8)$|^\.ci\/|^Dockerfile$/.test(file))
    .filter((file) => file !== 'package-lock.json' && file !== 'test/architecture.test.ts')
    .map((file) => ({ file, text: readFileSync(join(root, file), 'utf8') }))
}
