import { readFile } from 'node:fs/promises'
import { loadYaml } from '../config/load.ts'
import {
  type Args,
  type Command,
  EXIT,
  type ExitCode,
  type Terminal,
  UsageError,
} from './command.ts'
import { portOption } from './parse.ts'

const DEFAULT_PORT = '8090'

export const emulatorCommand: Command = {
  name: 'emulator',
  summary: 'Runs the emulator of Kinesis Video Streams alone.',
  operands: [],
  options: {
    port: { value: 'N', doc: `on loopback, ${DEFAULT_PORT} unless given; 0 takes any free port` },
    cause: { value: 'NAME', doc: 'a camera with this trouble, instead; `all` for one of each' },
    replay: { value: 'FILE', doc: 'streams as `doctor --trace` saw them, instead' },
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

/** Returns the configuration from where it is said to be; with nothing said the emulator has demo cameras of its own. */
async function emulatorConfig(options: Args['options'], terminal: Terminal) {
  const { config, cause, replay } = options
  if ([config, cause, replay].filter((given) => given !== undefined).length > 1) {
    throw new UsageError('--cause, --config and --replay exclude each other')
  }
  if (cause !== undefined) return causeConfig(cause)
  if (replay !== undefined) return replayConfig(replay, terminal)
  if (config === undefined) return {}
  const { emulatorConfigSchema } = await import('../emulator/config.ts')
  return loadYaml(config, terminal.env, emulatorConfigSchema)
}

/** Reads a trace, and says what of it cannot be replayed. */
async function replayConfig(file: string, terminal: Terminal) {
  const { replayFile } = await import('../emulator/replay/replay.ts')
  const { config, differences } = replayFile(await readFile(file, 'utf8'), Date.now())
  for (const difference of differences) terminal.out(`not as it was: ${difference}`)
  return config
}

async function causeConfig(name: string) {
  const { causes, causesConfig } = await import('../emulator/causes.ts')
  const nowMs = Date.now()
  const known = Object.keys(causes(nowMs))
  if (name === 'all') return causesConfig(known, nowMs)
  if (!known.includes(name)) {
    throw new UsageError(`--cause takes one of ${known.join(', ')}; got ${JSON.stringify(name)}`)
  }
  return causesConfig([name], nowMs)
}
