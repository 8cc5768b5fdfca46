import { notYetAvailable } from '../config/availability.ts'
import type { Config } from '../config/config.ts'
import type { Environment } from '../config/environment.ts'
import type { Fault } from '../config/fault.ts'
import { ConfigError, loadConfig } from '../config/load.ts'

/**
 * Loads a configuration, and the files that it names, so that what is wrong with either is told before anything starts.
 * @throws ConfigError
 */
export async function loadWhole(file: string, env: Environment): Promise<Config> {
  const config = await loadConfig(file, env)
  const faults = [...(await filmFaults(file, config)), ...(await certificateFaults(file, config))]
  if (faults.length > 0) throw new ConfigError(faults)
  return config
}

/**
 * Loads a configuration as {@link loadWhole} does, for a process that can do nothing but refuse what this version cannot do.
 * @throws ConfigError
 */
export async function loadAvailable(file: string, env: Environment): Promise<Config> {
  const config = await loadWhole(file, env)
  const missing = notYetAvailable(config)
  if (missing.length === 0) return config
  throw new ConfigError(
    missing.map(({ key, value }) => ({
      file,
      line: undefined,
      key,
      expected: 'what is available yet',
      got: value ?? 'something that is not',
    })),
  )
}

async function filmFaults(file: string, config: Config): Promise<readonly Fault[]> {
  const entries = [...config.streams, ...config.dynamicStreams]
  if (entries.every(({ slateFile }) => slateFile === undefined)) return []
  // Who names no film need not wait for the MP4 reader.
  const { slateFaults } = await import('../gateway/slate-files.ts')
  return slateFaults(file, config)
}

async function certificateFaults(file: string, config: Config): Promise<readonly Fault[]> {
  if (config.server.tls === undefined) return []
  const { tlsFaults } = await import('../gateway/tls-files.ts')
  return tlsFaults(file, config)
}
