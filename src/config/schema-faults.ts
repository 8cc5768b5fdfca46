import type { z } from 'zod'
import { type Fault, formatValue, type KeyPath } from './fault.ts'
import type { YamlTree } from './yaml-tree.ts'

/** The keys at and below which what came is not shown, because a start-up log travels far. */
const SECRET_KEYS = new Set(['token', 'secret', 'secrets', 'headers', 'url', 'endpoint', 'jwksUrl'])

/** Turns what the schema found into faults of the file: at most one per key, in the file's order. */
export function schemaFaults(file: string, error: z.ZodError, tree: YamlTree): readonly Fault[] {
  const faults = error.issues.flatMap(locate).map(({ key, expected, name }) => ({
    file,
    line: tree.lineOf(key),
    key,
    expected,
    got: name === undefined ? shown(key, tree) : formatValue(name),
  }))
  return firstPerKey(faults).sort((a, b) => (a.line ?? 0) - (b.line ?? 0))
}

interface Located {
  readonly key: KeyPath
  readonly expected: string
  /** The key itself, where that is what is wrong. */
  readonly name?: string
}

function locate(issue: z.core.$ZodIssue): readonly Located[] {
  const path = issue.path.filter((part) => typeof part !== 'symbol')
  if (issue.code === 'unrecognized_keys') {
    const expected = phrase(issue.message)
    return issue.keys.map((name) => ({ key: [...path, name], expected, name }))
  }
  if (issue.code === 'invalid_key') {
    const expected = phrase(issue.issues[0]?.message ?? issue.message)
    return [{ key: path, expected, name: String(path.at(-1)) }]
  }
  return [{ key: path, expected: phrase(issue.message) }]
}

/**
 * Returns a message as a phrase: our own schema speaks in phrases; one that leaves it to zod gets zod's sentence cut to
 * fit.
 */
function phrase(message: string): string {
  if (message.startsWith('Unrecognized key')) return 'a known key'
  return message.replace(/^(?:Invalid \w+|Too \w+): (?:expected )?|, received \w+$/g, '')
}

function shown(key: KeyPath, tree: YamlTree): string {
  const written = tree.writtenAs(key)
  if (written !== undefined) return `${formatValue(written)} from the environment`
  const value = valueAt(tree.value, key)
  const secret = key.some((part) => typeof part === 'string' && SECRET_KEYS.has(part))
  return secret && typeof value === 'string' ? 'a value that is not shown here' : formatValue(value)
}

function valueAt(root: unknown, path: KeyPath): unknown {
  return path.reduce<unknown>(
    (value, part) =>
      typeof value === 'object' && value !== null && Object.hasOwn(value, part)
        ? (value as Readonly<Record<string, unknown>>)[part]
        : undefined,
    root,
  )
}

function firstPerKey(faults: readonly Fault[]): Fault[] {
  const byKey = new Map<string, Fault>()
  for (const fault of faults) {
    const key = JSON.stringify(fault.key)
    if (!byKey.has(key)) byKey.set(key, fault)
  }
  return [...byKey.values()]
}
