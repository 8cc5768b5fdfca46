import type { Config } from '../config/config.ts'
import type { Environment } from '../config/environment.ts'
import { configForStream } from '../config/single-stream.ts'
import { type Args, UsageError } from './command.ts'
import { loadAvailable, loadWhole } from './load-whole.ts'
import { portOption } from './parse.ts'

/** A configuration, and what has to keep running for it. */
export interface ConfigSource extends AsyncDisposable {
  /** What faults call it. */
  readonly name: string
  readonly config: Config
  /** Whether all that it names is on this machine, where no proxy leads. */
  readonly isLocal?: boolean
  /**
   * Reads it again; undefined where it is no file's.
   * @throws ConfigError
   */
  readonly reread?: () => Promise<Config>
}

/**
 * Opens what to serve: a file, the one stream of the command line, or else the demo.
 * @throws UsageError, ConfigError
 */
export async function openSource(
  { options }: Args,
  env: Environment,
  startDemo: (env: Environment) => Promise<ConfigSource>,
): Promise<ConfigSource> {
  const { config: file, stream, region } = options
  if (file !== undefined && stream !== undefined) {
    throw new UsageError('--config and --stream exclude each other')
  }
  if (region !== undefined && stream === undefined) {
    throw new UsageError('--region belongs to --stream; a file has aws.region')
  }
  if (file !== undefined) {
    const config = await loadWhole(file, env)
    return { ...lasting(file, config), reread: () => loadAvailable(file, env) }
  }
  if (stream !== undefined) return lasting('command line', configForStream({ stream, region }))
  return startDemo(env)
}

/** Puts `--port` and `--admin-port` in, which win over any source. */
export function withPorts(config: Config, { options }: Args): Config {
  const { port, 'admin-port': adminPort } = options
  const { server, admin } = config
  return {
    ...config,
    server: port === undefined ? server : { ...server, port: portOption('port', port) },
    admin:
      adminPort === undefined ? admin : { ...admin, port: portOption('admin-port', adminPort) },
  }
}

function lasting(name: string, config: Config): ConfigSource {
  return { name, config, [Symbol.asyncDispose]: () => Promise.resolve() }
}
