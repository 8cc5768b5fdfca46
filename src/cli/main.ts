import { packageVersion } from '../base/version.ts'
import { faultLine } from '../config/fault.ts'
import { ConfigError } from '../config/load.ts'
import { checkCommand } from './check.ts'
import { type Command, EXIT, type ExitCode, type Terminal, UsageError } from './command.ts'
import { doctorCommand } from './doctor.ts'
import { emulatorCommand } from './emulate.ts'
import { commandHelp, programHelp } from './help.ts'
import { parseCommandLine } from './parse.ts'
import { processTerminal } from './process-terminal.ts'
import { serveCommand } from './serve.ts'
import { signCommand } from './sign.ts'
import { startFailure } from './start-failure.ts'

const COMMANDS: readonly Command[] = [
  serveCommand,
  doctorCommand,
  checkCommand,
  emulatorCommand,
  signCommand,
]

/** Runs the program: a command line in, an exit code out. */
export async function run(
  argv: readonly string[],
  terminal: Terminal = processTerminal(),
): Promise<ExitCode> {
  try {
    return await dispatch(argv, terminal)
  } catch (error) {
    return report(error, terminal)
  }
}

function dispatch(argv: readonly string[], terminal: Terminal): ExitCode | Promise<ExitCode> {
  const [first] = argv
  const named = first !== undefined && !first.startsWith('-')
  const command = named ? COMMANDS.find(({ name }) => name === first) : serveCommand
  if (command === undefined) throw new UsageError(`unknown command ${JSON.stringify(first)}`)
  if (argv.includes('--help') || argv.includes('-h')) {
    return print(terminal, named ? commandHelp(command) : programHelp(COMMANDS))
  }
  if (!named && first === '--version') return print(terminal, packageVersion())
  return command.run(parseCommandLine(command, named ? argv.slice(1) : argv), terminal)
}

function print(terminal: Terminal, text: string): ExitCode {
  for (const line of text.split('\n')) terminal.out(line)
  return EXIT.ok
}

function report(error: unknown, terminal: Terminal): ExitCode {
  if (error instanceof ConfigError) {
    for (const fault of error.faults) terminal.err(faultLine(fault))
    return EXIT.fault
  }
  if (error instanceof UsageError) {
    terminal.err(`kvs-hls-gateway: ${error.message}; see --help`)
    return EXIT.usage
  }
  terminal.err(`kvs-hls-gateway: ${startFailure(error)}`)
  return EXIT.fault
}
