import { fileURLToPath } from 'node:url'
import type { Environment } from '../config/environment.ts'
import { loadConfig } from '../config/load.ts'
import type { ConfigSource } from './source.ts'

const DEMO_FILE = fileURLToPath(new URL('../../config/dev.yaml', import.meta.url))

/** Starts an emulator in this process, on a free loopback port, with its own demo cameras. */
export async function startDemo(env: Environment): Promise<ConfigSource> {
  const { startEmulator } = await import('../emulator/emulator.ts')
  const emulator = await startEmulator()
  const config = await loadConfig(DEMO_FILE, { ...env, KVS_EMULATOR_URL: emulator.url })
  return { name: DEMO_FILE, config, isLocal: true, [Symbol.asyncDispose]: () => emulator.close() }
}
