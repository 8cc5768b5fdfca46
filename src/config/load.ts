import type { z } from 'zod'
import type { Config } from './config.ts'
import type { Environment } from './environment.ts'
import type { Fault } from './fault.ts'
import { mergeDefaults } from './merge-defaults.ts'
import { readFileText } from './read-file.ts'
import { resolve } from './resolve.ts'
import { fileSchema, mergedSchema } from './schema.ts'
import { schemaFaults } from './schema-faults.ts'
import { readYaml, YamlFault, type YamlTree } from './yaml-tree.ts'

/** Says everything that is wrong with a configuration, in the file's order. */
export class ConfigError extends Error {
  readonly faults: readonly Fault[]

  constructor(faults: readonly Fault[]) {
    super('the configuration has faults')
    this.name = 'ConfigError'
    this.faults = faults
  }
}

/**
 * Reads a configuration file.
 * @throws ConfigError
 */
export async function loadConfig(file: string, env: Environment): Promise<Config> {
  return parseConfig(file, await readConfigText(file), env)
}

/**
 * Reads the text of a configuration.
 * @param file what faults call the text
 * @throws ConfigError
 */
export function parseConfig(file: string, text: string, env: Environment): Config {
  return checkTree(file, readTree(file, text, env))
}

async function readConfigText(file: string): Promise<string> {
  const read = await readFileText(file)
  if (read.ok) return read.text
  const { expected, got } = read
  throw new ConfigError([{ file, line: undefined, key: [], expected, got }])
}

function readTree(file: string, text: string, env: Environment): YamlTree {
  try {
    return readYaml(text, env)
  } catch (error) {
    if (!(error instanceof AggregateError)) throw error
    const faults = error.errors.filter((fault) => fault instanceof YamlFault)
    throw new ConfigError(
      faults.map(({ line, key, expected, got }) => ({ file, line, key, expected, got })),
    )
  }
}

/**
 * Reads a YAML file of another kind, refused in the same way.
 * @throws ConfigError
 */
export async function loadYaml<T extends z.ZodType>(
  file: string,
  env: Environment,
  schema: T,
): Promise<z.output<T>> {
  return check(file, readTree(file, await readConfigText(file), env), schema)
}

function check<T extends z.ZodType>(file: string, tree: YamlTree, schema: T): z.output<T> {
  const parsed = schema.safeParse(tree.value)
  if (!parsed.success) throw new ConfigError(schemaFaults(file, parsed.error, tree))
  return parsed.data
}

function checkTree(file: string, tree: YamlTree): Config {
  const written = check(file, tree, fileSchema)
  const merged = mergedSchema.safeParse(mergeDefaults(tree.value))
  if (!merged.success) throw new ConfigError(schemaFaults(file, merged.error, tree))
  return resolve(written, merged.data)
}
