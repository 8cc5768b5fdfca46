import { notYetAvailable, notYetLine } from '../config/availability.ts'
import { type Args, type Command, EXIT, type ExitCode, type Terminal } from './command.ts'
import { loadWhole } from './load-whole.ts'

export const checkCommand: Command = {
  name: 'check',
  summary: 'Checks a configuration without starting: one line per fault.',
  operands: ['FILE'],
  options: {},
  run: check,
}

/**
 * Checks a configuration. Faults go to standard error; what is fine, and what is only not available yet, to standard
 * output.
 */
async function check({ operands }: Args, { env, out }: Terminal): Promise<ExitCode> {
  const [file = ''] = operands
  const config = await loadWhole(file, env)
  for (const key of notYetAvailable(config)) out(notYetLine(file, key))
  const { length } = config.streams
  out(`${file}: no faults, ${length} ${length === 1 ? 'stream' : 'streams'}`)
  return EXIT.ok
}
