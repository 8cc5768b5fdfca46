import type { Config } from '../config/config.ts'
import type { Environment } from '../config/environment.ts'
import { ConfigError, loadConfig } from '../config/load.ts'
import { slateFaults } from '../gateway/slate-files.ts'

/**
 * A configuration, and the files that it names: what is wrong with either is told before anything starts.
 * @throws ConfigError
 */
export async function loadWhole(file: string, env: Environment): Promise<Config> {
  const config = await loadConfig(file, env)
  const faults = await slateFaults(file, config)
  if (faults.length > 0) throw new ConfigError(faults)
  return config
}
