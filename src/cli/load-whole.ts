import type { Config } from '../config/config.ts'
import type { Environment } from '../config/environment.ts'
import { ConfigError, loadConfig } from '../config/load.ts'

/**
 * Loads a configuration, and the files that it names, so that what is wrong with either is told before anything starts.
 * @throws ConfigError
 */
export async function loadWhole(file: string, env: Environment): Promise<Config> {
  const config = await loadConfig(file, env)
  const entries = [...config.streams, ...config.dynamicStreams]
  if (entries.every(({ slateFile }) => slateFile === undefined)) return config
  // Who names no film need not wait for the MP4 reader.
  const { slateFaults } = await import('../gateway/slate-files.ts')
  const faults = await slateFaults(file, config)
  if (faults.length > 0) throw new ConfigError(faults)
  return config
}
