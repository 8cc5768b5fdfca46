import { loadYaml } from '../config/load.ts'
import { type Args, type Command, EXIT, type ExitCode, type Terminal } from './command.ts'
import { portOption } from './parse.ts'

const DEFAULT_PORT = '8090'

export const emulatorCommand: Command = {
  name: 'emulator',
  summary: 'Runs the emulator of Kinesis Video Streams alone.',
  operands: [],
  options: {
    port: { value: 'N', doc: `on loopback, ${DEFAULT_PORT} unless given; 0 takes any free port` },
    config: { value: 'FILE', doc: 'cameras and faults; see src/emulator/README.md' },
  },
  run: emulate,
}

/** Runs until the process is asked to stop. */
async function emulate({ options }: Args, terminal: Terminal): Promise<ExitCode> {
  const stopped = terminal.untilStopped()
  const port = portOption('port', options['port'] ?? DEFAULT_PORT)
  const config = await emulatorConfig(options, terminal)
  const { startEmulator } = await import('../emulator/emulator.ts')
  const emulator = await startEmulator({ port, config })
  terminal.out(`kvs-hls-gateway emulator is ready: ${emulator.url}`)
  await stopped
  await emulator.close()
  return EXIT.ok
}

/** Reads the emulator's configuration; without a file it has demo cameras of its own. */
async function emulatorConfig({ config: file }: Args['options'], { env }: Terminal) {
  if (file === undefined) return {}
  const { emulatorConfigSchema } = await import('../emulator/config.ts')
  return loadYaml(file, env, emulatorConfigSchema)
}
