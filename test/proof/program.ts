import { writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { stringify } from 'yaml'
import { Child } from './child-process.ts'

const PROJECT = fileURLToPath(new URL('../..', import.meta.url))
const BIN = 'src/cli/bin.js'

/**
 * Starts the program by its command line; resolves once it prints a line with `url` in it.
 * @param core pin it to this core, as `taskset -c` does
 */
export function startProgram(args: readonly string[], url: string, core?: number): Promise<Child> {
  const node = [process.execPath, BIN, ...args]
  const [command = '', ...rest] = core === undefined ? node : ['taskset', '-c', `${core}`, ...node]
  return Child.start({
    command,
    args: rest,
    cwd: PROJECT,
    // No credentials: with an endpoint of its own on loopback the gateway needs none.
    env: { PATH: process.env['PATH'] ?? '', HOME: tmpdir(), AWS_EC2_METADATA_DISABLED: 'true' },
    ready: new RegExp(`${url.replaceAll('.', '\\.')}\\b`),
  })
}

/** Writes a configuration as YAML and returns the file's name. */
export async function writeConfig(folder: string, config: unknown): Promise<string> {
  const file = join(folder, 'config.yaml')
  await writeFile(file, stringify(config))
  return file
}
