import type { Command } from './command.ts'

const PROGRAM = 'kvs-hls-gateway'

/** Returns what `--help` prints. */
export function programHelp(commands: readonly Command[]): string {
  const width = Math.max(...commands.map(({ name }) => name.length))
  return [
    'One Kinesis Video Streams HLS session per camera, any number of viewers, no seam.',
    '',
    `Usage: ${PROGRAM} [COMMAND] [OPTIONS]`,
    '',
    'Commands:',
    ...commands.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`),
    '',
    `Without a command: serve. ${PROGRAM} COMMAND --help tells more; --version prints the version.`,
    'Exit codes: 0 all is well, 1 a fault in the configuration, at start, or that the doctor found, 2 a wrong command line.',
  ].join('\n')
}

/** Returns what `COMMAND --help` prints. */
export function commandHelp({ name, summary, operands, options }: Command): string {
  const rows = Object.entries(options).map(([option, { value, doc }]) => ({
    left: value === undefined ? `--${option}` : `--${option} ${value}`,
    doc,
  }))
  const width = Math.max(...rows.map(({ left }) => left.length))
  const table = rows.map(({ left, doc }) => `  ${left.padEnd(width)}  ${doc}`)
  return [
    summary,
    '',
    `Usage: ${[PROGRAM, name, ...operands].join(' ')}${table.length > 0 ? ' [OPTIONS]' : ''}`,
    ...(table.length > 0 ? ['', 'Options:', ...table] : []),
  ].join('\n')
}
