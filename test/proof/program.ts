import { glob, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { stringify } from 'yaml'
import { Child } from './child-process.ts'

const PROJECT = fileURLToPath(new URL('../..', import.meta.url))
const BIN = 'src/cli/bin.js'

export interface ProgramOptions {
  /** Pin it to this core, as `taskset -c` does. */
  readonly core?: number | undefined
  readonly env?: Readonly<Record<string, string>>
}

/**
 * Starts the program by its command line; resolves once it prints a line with `url` in it.
 */
export function startProgram(
  args: readonly string[],
  url: string,
  { core, env = {} }: ProgramOptions = {},
): Promise<Child> {
  const node = [process.execPath, BIN, ...args]
  const [command = '', ...rest] = core === undefined ? node : ['taskset', '-c', `${core}`, ...node]
  return Child.start({
    command,
    args: rest,
    cwd: PROJECT,
    // No credentials: with an endpoint of its own on loopback the gateway needs none.
    env: {
      PATH: process.env['PATH'] ?? '',
      HOME: tmpdir(),
      AWS_EC2_METADATA_DISABLED: 'true',
      ...env,
    },
    ready: new RegExp(`${url.replaceAll('.', '\\.')}\\b`),
  })
}

/**
 * The environment in which a process's clock is this far ahead, while what measures durations stays as it is.
 * @throws Error where libfaketime is not installed
 */
export async function fakeClock(aheadS: number): Promise<Readonly<Record<string, string>>> {
  if (aheadS === 0) return {}
  for await (const library of glob('/usr/lib/*/faketime/libfaketimeMT.so.1')) {
    const ahead = { FAKETIME: `+${aheadS}s`, FAKETIME_DONT_FAKE_MONOTONIC: '1' }
    return { ...ahead, LD_PRELOAD: library }
  }
  throw new Error('libfaketime is not installed')
}

/** Writes a configuration as YAML and returns the file's name. */
export async function writeConfig(folder: string, config: unknown): Promise<string> {
  const file = join(folder, 'config.yaml')
  await writeFile(file, stringify(config))
  return file
}
