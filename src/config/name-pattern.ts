import { runInNewContext } from 'node:vm'

const LONGEST_NAME = 256
/** How long all probes may take together; a good pattern needs a hundredth of it. */
const PROBES_MS = 250

/** One of each kind of character that stream names are made of. */
const KINDS = ['a', 'Z', '0', '-', '_', '.']

/** Patterns that were found quick, because what runs must not wait for them again at each reload, nor fail on a busy machine. */
const QUICK = new Set<string>()
const MOST_KNOWN = 1_000

export function isRegExp(source: string): boolean {
  try {
    return new RegExp(source, 'u') instanceof RegExp
  } catch {
    return false
  }
}

/**
 * Says whether the pattern decides at once about names that viewers make up. One such as `^(a+)+$` takes longer than
 * anybody waits to say no, and nothing else of the process runs meanwhile. Only in a context of its own can that be cut
 * short. The probes find the usual mistakes, not all that could be made.
 */
export function isQuick(source: string): boolean {
  if (QUICK.has(source) || !isRegExp(source)) return true
  const sandbox = { pattern: new RegExp(source, 'u'), probes: probes(source) }
  try {
    runInNewContext('for (const name of probes) pattern.test(name)', sandbox, {
      timeout: PROBES_MS,
    })
    if (QUICK.size >= MOST_KNOWN) QUICK.clear()
    QUICK.add(source)
    return true
  } catch {
    return false
  }
}

/** Makes long runs of one kind, ending in another, behind what the pattern begins with. */
function probes(source: string): readonly string[] {
  const [prefix = ''] = /^[\w-]*/.exec(source.replace(/^\^/, '')) ?? []
  return ['', prefix, prefix.slice(0, -1)].flatMap((start) =>
    KINDS.flatMap((kind) =>
      KINDS.map((end) => start + kind.repeat(LONGEST_NAME - start.length - 1) + end),
    ),
  )
}
