import { parseConfig } from '../../../src/config/load.ts'
import { type RunningGateway, startGateway } from '../../../src/gateway.ts'
import { ContinuityMonitor, type MonitorReport } from '../../proof/continuity-monitor.ts'
import { GatewayAdmin } from '../../proof/gateway-admin.ts'
import { Link } from '../../support/link.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { during, pass } from '../../support/pace.ts'
import { type LogLine, startWorld, type World, type WorldOptions } from '../../support/world.ts'
import { judge, type Verdict, watch } from './stage.ts'

/** Another gateway with a stream `lobby`, whose origin is a test's. */
export interface Site extends AsyncDisposable {
  readonly clock: ManualClock
  readonly gateway: RunningGateway
  readonly admin: GatewayAdmin
  readonly lines: readonly LogLine[]
  watching: boolean
  pass(ms: number): Promise<void>
  report(): MonitorReport
  verdict(): Promise<Verdict>
}

export interface SiteOptions {
  readonly clock: ManualClock
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  readonly defaults?: Readonly<Record<string, unknown>>
  /** What the monitor does not call a fault. */
  readonly tolerances?: ConstructorParameters<typeof ContinuityMonitor>[1]['tolerances']
}

/** A gateway that follows `url`, and a monitor that watches it each second. */
export async function startSite(options: SiteOptions): Promise<Site> {
  const { clock, url, headers = {}, defaults = {}, tolerances = {} } = options
  const lines: LogLine[] = []
  const file = { defaults, streams: { lobby: { hls: { url, headers } } } }
  const gateway = await startOn(clock, file, lines)
  const end = new AbortController()
  const watchUrl = `${gateway.publicUrl}/hls/lobby/master.m3u8`
  const monitor = new ContinuityMonitor(watchUrl, { clock, signal: end.signal, tolerances })
  const site: Site = {
    clock,
    gateway,
    admin: new GatewayAdmin(gateway.adminUrl),
    lines,
    watching: true,
    pass: (ms) => pass(clock, ms),
    report: () => monitor.report(),
    verdict: () => judge(monitor),
    async [Symbol.asyncDispose]() {
      end.abort()
      await during(clock, watched)
      await during(clock, gateway.close())
    },
  }
  const watched = watch(site, monitor, end.signal)
  return site
}

const LOOK_MS = 2_000
/** How many monitors look at a time. */
const LOOK_AT = 8

/** A gateway with one stream for each of many origins, and a monitor of each. */
export interface Sites extends AsyncDisposable {
  /** Lets time pass, while the monitors look every two seconds. */
  pass(ms: number): Promise<void>
  /** @param name as in {@link startSites}, as all below */
  verdict(name: string): Promise<Verdict>
  status(name: string): ReturnType<GatewayAdmin['stream']>
  /** What fragments lack, by the log. */
  told(name: string): readonly unknown[]
}

/** @param urls by names of any kind */
export async function startSites({
  clock,
  urls,
}: {
  readonly clock: ManualClock
  readonly urls: ReadonlyMap<string, string>
}): Promise<Sites> {
  const names = [...urls.keys()]
  const streamOf = (name: string): string => `origin-${names.indexOf(name)}`
  const lines: LogLine[] = []
  const streams = [...urls].map(([name, url]) => [streamOf(name), { hls: { url } }] as const)
  const gateway = await startOn(
    clock,
    { defaults: { activation: 'always' }, streams: Object.fromEntries(streams) },
    lines,
  )
  const admin = new GatewayAdmin(gateway.adminUrl)
  const end = new AbortController()
  const monitors = new Map(
    names.map((name) => {
      const url = `${gateway.publicUrl}/hls/${streamOf(name)}/master.m3u8`
      return [name, new ContinuityMonitor(url, { clock, signal: end.signal })]
    }),
  )
  // All have something to show before anybody looks, and few look at a time: what is judged is no crowd.
  await pass(clock, LOOK_MS)
  const look = async (): Promise<void> => {
    const all = [...monitors.values()]
    for (let at = 0; at < all.length; at += LOOK_AT) {
      const some = all.slice(at, at + LOOK_AT).map((monitor) => monitor.poll())
      await during(clock, Promise.all(some))
    }
  }
  return {
    async pass(ms) {
      for (let left = ms; left > 0; left -= LOOK_MS) {
        await look()
        await pass(clock, LOOK_MS)
      }
      await look()
    },
    async verdict(name) {
      const monitor = monitors.get(name)
      if (monitor === undefined) throw new Error(`no origin is called ${name}`)
      return judge(monitor)
    },
    status: (name) => admin.stream(streamOf(name)),
    told: (name) =>
      lines
        .filter(({ event }) => event === 'fragments lack something')
        .filter(({ fields }) => fields['stream'] === streamOf(name))
        .map(({ fields }) => fields['what']),
    async [Symbol.asyncDispose]() {
      end.abort()
      await during(clock, gateway.close())
    },
  }
}

/** Starts a gateway with these sections of the file. @param lines where it logs to */
function startOn(
  clock: ManualClock,
  file: Readonly<Record<string, unknown>>,
  lines: LogLine[],
): Promise<RunningGateway> {
  const at =
    (level: LogLine['level']) =>
    (event: string, fields: LogLine['fields'] = {}): void => {
      lines.push({ level, event, fields })
    }
  const log = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
  const whole = { server: { port: 0 }, admin: { port: 0 }, ...file }
  const config = parseConfig('site', JSON.stringify(whole), {})
  return startGateway(config, { clock, random: () => 0.5, log })
}

/** A central gateway in front of KVS, and a site gateway that follows it over a line. */
export interface Chain extends AsyncDisposable {
  readonly central: World
  readonly link: Link
  readonly site: Site
}

export async function startChain(
  world: Omit<WorldOptions, 'clock'> = {},
  site: Partial<SiteOptions> = {},
): Promise<Chain> {
  const clock = new ManualClock()
  const central = await startWorld({ ...world, clock })
  const link = await Link.to(central.gateway.publicUrl)
  const started = await startSite({ clock, url: link.over(central.watchUrl()), ...site })
  return {
    central,
    link,
    site: started,
    async [Symbol.asyncDispose]() {
      await started[Symbol.asyncDispose]()
      await link.close()
      await during(clock, central.close())
    },
  }
}
