import { parseArgs } from 'node:util'
import { type Args, type Command, UsageError } from './command.ts'

/**
 * Checks a command line.
 * @throws UsageError
 */
export function parseCommandLine(command: Command, argv: readonly string[]): Args {
  const { values, positionals } = parse(command, argv)
  const missing = command.operands[positionals.length]
  if (missing !== undefined) throw new UsageError(`${command.name} needs ${missing}`)
  const extra = positionals[command.operands.length]
  if (extra !== undefined) throw new UsageError(`unexpected argument ${JSON.stringify(extra)}`)
  return { operands: positionals, options: values }
}

function parse(command: Command, argv: readonly string[]) {
  const options = Object.fromEntries(
    Object.entries(command.options).map(([name, { value }]) => [
      name,
      { type: value === undefined ? ('boolean' as const) : ('string' as const) },
    ]),
  )
  try {
    const { values, positionals } = parseArgs({ args: [...argv], options, allowPositionals: true })
    return { values: asTexts(values), positionals }
  } catch (error) {
    throw new UsageError(firstSentence(error))
  }
}

function asTexts(values: Readonly<Record<string, unknown>>): Args['options'] {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, typeof value === 'string' ? value : '']),
  )
}

/** Cuts an error to its first sentence, because Node goes on with advice about `--` that does not help here. */
function firstSentence(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  return message.split(/\. |\n/)[0] ?? message
}

/**
 * Reads a port.
 * @throws UsageError
 */
export function portOption(name: string, text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN
  if (port <= 65_535) return port
  throw new UsageError(`--${name} takes a port from 0 to 65535, got ${JSON.stringify(text)}`)
}

/**
 * Reads an option that has to be there.
 * @throws UsageError
 */
export function requiredOption({ options }: Args, name: string): string {
  const value = options[name]
  if (value === undefined) throw new UsageError(`--${name} is missing`)
  return value
}
