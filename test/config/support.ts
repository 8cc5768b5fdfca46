import type { Config } from '../../src/config/config.ts'
import type { Environment } from '../../src/config/environment.ts'
import { faultLine } from '../../src/config/fault.ts'
import { ConfigError, parseConfig } from '../../src/config/load.ts'

export const ONE_STREAM = 'streams: { lobby: { kvs: { streamName: lobby-camera } } }'

/** Reads a file named gateway.yaml. */
export function parse(text: string, env: Environment = {}): Config {
  return parseConfig('gateway.yaml', text, env)
}

/** The lines an operator would see; none for a good file. */
export function faultLines(text: string, env: Environment = {}): readonly string[] {
  try {
    parse(text, env)
    return []
  } catch (error) {
    if (error instanceof ConfigError) return error.faults.map(faultLine)
    throw error
  }
}
