import type { Config } from './config.ts'
import { ConfigError, parseConfig } from './load.ts'

/**
 * Makes the configuration behind `--stream NAME --region REGION`: one KVS stream, published under its own name.
 * @throws ConfigError
 */
export function configForStream(options: { stream: string; region: string | undefined }): Config {
  const { stream, region } = options
  // JSON is YAML; as text it takes the same way, with the same faults, as a file. An escaped `${`
  // keeps an argument from being taken for a reference.
  const file = { aws: { region }, streams: { [stream]: { kvs: { streamName: stream } } } }
  const text = JSON.stringify(file).replaceAll('${', '$${')
  try {
    return parseConfig('command line', text, {})
  } catch (error) {
    throw error instanceof ConfigError ? withoutLines(error) : error
  }
}

function withoutLines({ faults }: ConfigError): ConfigError {
  return new ConfigError(faults.map((fault) => ({ ...fault, line: undefined })))
}
