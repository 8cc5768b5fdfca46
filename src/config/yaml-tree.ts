import {
  type Alias,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  type YAMLMap,
} from 'yaml'
import {
  type Environment,
  shieldReferences,
  substitute,
  unshieldReferences,
} from './environment.ts'
import type { KeyPath } from './fault.ts'

/** A parsed file as plain values, which still knows where each of them stands. */
export interface YamlTree {
  readonly value: unknown
  /** Returns the line of a key, or of the closest one around it. */
  lineOf(path: KeyPath): number | undefined
  /** Returns the text of a scalar as written, if the environment changed it, because what it became may be secret. */
  writtenAs(path: KeyPath): string | undefined
}

/** Says that the file is not YAML as we take it. */
export class YamlFault extends Error {
  readonly line: number | undefined
  readonly key: KeyPath
  readonly expected: string
  readonly got: string

  constructor(line: number | undefined, key: KeyPath, expected: string, got: string) {
    super(`expected ${expected}, got ${got}`)
    this.name = 'YamlFault'
    this.line = line
    this.key = key
    this.expected = expected
    this.got = got
  }
}

/**
 * How many nodes a file may have, because aliases multiply: ten lines can name a billion nodes. No honest file comes
 * near this.
 */
const MAX_NODES = 50_000
const MAX_DEPTH = 30
const BOUNDS = `at most ${MAX_NODES} values, nested at most ${MAX_DEPTH} deep`

/**
 * Reads a file.
 * @throws AggregateError of {@link YamlFault}s: all that is wrong before the schema is asked.
 */
export function readYaml(text: string, env: Environment): YamlTree {
  return new TreeReader(text, env).read()
}

class TreeReader {
  readonly #text: string
  readonly #env: Environment
  readonly #counter = new LineCounter()
  readonly #lines = new Map<string, number>()
  readonly #written = new Map<string, string>()
  readonly #faults: YamlFault[] = []
  #nodes = 0
  #resolve: (node: Alias) => Node | undefined = () => undefined

  constructor(text: string, env: Environment) {
    this.#text = text
    this.#env = env
  }

  read(): YamlTree {
    const value = this.#visit(this.#parse(), [])
    if (this.#faults.length > 0) throw new AggregateError(this.#faults)
    return {
      value,
      lineOf: (path) => this.#closestLine(path),
      writtenAs: (path) => this.#written.get(id(path)),
    }
  }

  #parse(): Node | null {
    const document = this.#document()
    const [problem] = [...document.errors, ...document.warnings]
    if (problem !== undefined) {
      const reason = problem.message.split('\n')[0] ?? ''
      throw new AggregateError([new YamlFault(this.#line(problem.pos[0]), [], 'YAML', reason)])
    }
    this.#resolve = (node) => node.resolve(document)
    return document.contents
  }

  #document() {
    try {
      return parseDocument(shieldReferences(this.#text), {
        lineCounter: this.#counter,
        prettyErrors: false,
        strict: true,
        // Found below: here each key of a mapping would be compared with all others.
        uniqueKeys: false,
      })
    } catch (error) {
      // The stack is full: the parser calls itself at each level.
      if (error instanceof RangeError) throw tooMuch()
      throw error
    }
  }

  #visit(node: Node | null, path: KeyPath): unknown {
    this.#nodes += 1
    if (this.#nodes > MAX_NODES || path.length > MAX_DEPTH) throw tooMuch()
    if (isAlias(node)) return this.#alias(node, path)
    this.#remember(path, node)
    if (isMap<Node, Node | null>(node)) return this.#mapping(node, path)
    if (isSeq<Node | null>(node))
      return node.items.map((item, i) => this.#visit(item, [...path, i]))
    return isScalar(node) ? this.#scalar(node.value, path) : null
  }

  #alias(node: Alias, path: KeyPath): unknown {
    const target = this.#resolve(node)
    if (target !== undefined) return this.#visit(target, path)
    const line = this.#line(node.range?.[0])
    this.#faults.push(new YamlFault(line, path, 'an anchor above', `*${node.source}`))
    return undefined
  }

  #mapping(node: YAMLMap<Node, Node | null>, path: KeyPath): Record<string, unknown> {
    const result: Record<string, unknown> = {}
    for (const pair of node.items) {
      const key = this.#key(pair, path)
      if (key === undefined) continue
      if (Object.hasOwn(result, key)) {
        const line = this.#line(pair.key.range?.[0])
        this.#faults.push(new YamlFault(line, [], 'YAML', 'Map keys must be unique'))
      }
      this.#remember([...path, key], pair.key)
      result[key] = this.#visit(pair.value, [...path, key])
    }
    return result
  }

  #key({ key }: Pair<Node, Node | null>, path: KeyPath): string | undefined {
    const name = isScalar(key) ? unshieldReferences(key.source ?? '') : ''
    // Assigning to this name would change the object instead of adding a key to it.
    if (name !== '' && name !== '__proto__') return name
    const got = name === '' ? 'another kind of key' : `"${name}"`
    this.#faults.push(new YamlFault(this.#line(key.range?.[0]), path, 'a name as the key', got))
    return undefined
  }

  #scalar(value: unknown, path: KeyPath): unknown {
    if (typeof value !== 'string') return value
    const written = unshieldReferences(value)
    if (!written.includes('${')) return written
    const result = substitute(written, this.#env)
    if (result.ok) {
      this.#written.set(id(path), written)
      return result.text
    }
    const { expected, got } = result
    this.#faults.push(new YamlFault(this.#closestLine(path), path, expected, got))
    return undefined
  }

  /** Remembers where a key stands; its own line wins over that of its value, which may stand below it. */
  #remember(path: KeyPath, node: Node | null): void {
    const line = this.#line(node?.range?.[0])
    if (line !== undefined && !this.#lines.has(id(path))) this.#lines.set(id(path), line)
  }

  #closestLine(path: KeyPath): number | undefined {
    if (path.length === 0) return undefined
    return this.#lines.get(id(path)) ?? this.#closestLine(path.slice(0, -1))
  }

  #line(offset: number | undefined): number | undefined {
    return offset === undefined ? undefined : this.#counter.linePos(offset).line
  }
}

function tooMuch(): AggregateError {
  return new AggregateError([new YamlFault(undefined, [], BOUNDS, 'more')])
}

const id = (path: KeyPath): string => JSON.stringify(path)
