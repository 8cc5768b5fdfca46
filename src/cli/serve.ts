import { flushCompileCache } from 'node:module'
import { type Clock, systemClock } from '../base/clock.ts'
import { withDeadline } from '../base/deadline.ts'
import { notYetAvailable, notYetLine } from '../config/availability.ts'
import type { RunningGateway, StartGateway } from '../gateway.ts'
import { type Args, type Command, EXIT, type ExitCode, type Terminal } from './command.ts'
import { startDemo } from './demo.ts'
import { readyLine } from './ready-line.ts'
import { openSource, withPorts } from './source.ts'

export const serveCommand: Command = {
  name: 'serve',
  summary:
    'Runs the gateway; without options a demo, with an emulator of KVS. SIGHUP reloads --config.',
  operands: [],
  options: {
    config: { value: 'FILE', doc: 'the configuration; see config/gateway.example.yaml' },
    stream: { value: 'NAME', doc: 'instead of a file: one KVS stream, published under its name' },
    region: { value: 'REGION', doc: 'AWS region of --stream; else the SDK’s own chain' },
    port: { value: 'N', doc: 'wins over server.port' },
    'admin-port': { value: 'N', doc: 'wins over admin.port' },
  },
  run: (args, terminal) => serve(args, terminal),
}

export interface ServeParts {
  readonly startGateway: StartGateway
  readonly startDemo: typeof startDemo
  readonly clock: Clock
}

/** Loads the gateway when it is needed, because `check` and `--help` need not wait for the AWS SDK. */
const realParts: ServeParts = {
  startGateway: async (...args) => (await import('../gateway.ts')).startGateway(...args),
  startDemo,
  clock: systemClock,
}

/**
 * How long a close may take: less than the ten seconds that operators are promised, so that the exit itself fits in.
 */
const CLOSE_WITHIN_MS = 9_500
/** How much of that a start may take that was under way. */
const START_WITHIN_MS = 6_000

const never = new AbortController().signal

/** Runs until the process is asked to stop. */
export async function serve(
  args: Args,
  terminal: Terminal,
  parts: ServeParts = realParts,
): Promise<ExitCode> {
  // From the first moment: a signal during a slow start must not kill the process half way.
  const stopped = terminal.untilStopped()
  const reload = reloadOnDemand(terminal)
  await using source = await openSource(args, terminal.env, parts.startDemo)
  const missing = notYetAvailable(source.config)
  for (const key of missing) terminal.err(notYetLine(source.name, key))
  if (missing.length > 0) return EXIT.fault

  const { clock } = parts
  const config = withPorts(source.config, args)
  const env = source.isLocal === true ? {} : terminal.env
  const { reread } = source
  let stopBeganMs: number | undefined
  void stopped.then(() => {
    stopBeganMs = clock.now()
  })
  const starting = parts.startGateway(config, {
    clock,
    random: Math.random,
    env,
    reread: reread && (async () => withPorts(await reread(), args)),
  })
  const gateway = await startedOrLate(starting, stopped, clock)
  reload.of(gateway)
  terminal.out(readyLine(gateway, config))
  // Whoever kills the process shall not make its next start slow.
  flushCompileCache()
  await stopped
  gateway.retire()
  const { drainDelayMs } = config.server
  if (drainDelayMs > 0) await clock.sleep(drainDelayMs, never)
  const leftMs = CLOSE_WITHIN_MS + drainDelayMs - (clock.now() - (stopBeganMs ?? clock.now()))
  await withDeadline(clock, 'closing', leftMs, never, () => gateway.close())
  return EXIT.ok
}

/** Waits for a start; once the process was asked to stop not for long, whatever holds it up. */
function startedOrLate(
  starting: Promise<RunningGateway>,
  stopped: Promise<void>,
  clock: Clock,
): Promise<RunningGateway> {
  const late = stopped.then(() =>
    withDeadline(clock, 'starting', START_WITHIN_MS, never, () => starting),
  )
  return Promise.race([starting, late])
}

/** Reloads a gateway each time that the process is asked to; once it is there, if that was before. */
function reloadOnDemand(terminal: Terminal): { of(gateway: RunningGateway): void } {
  let reload = (): void => {
    isAsked = true
  }
  let isAsked = false
  terminal.onReload(() => reload())
  return {
    of: (gateway) => {
      // Why it failed is in the log.
      reload = () => void gateway.reload().catch(() => {})
      if (isAsked) reload()
    },
  }
}
