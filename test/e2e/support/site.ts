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
  const at =
    (level: LogLine['level']) =>
    (event: string, fields: LogLine['fields'] = {}): void => {
      lines.push({ level, event, fields })
    }
  const log = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
  const file = {
    server: { port: 0 },
    admin: { port: 0 },
    defaults,
    streams: { lobby: { hls: { url, headers } } },
  }
  const config = parseConfig('site', JSON.stringify(file), {})
  const gateway = await startGateway(config, { clock, random: () => 0.5, log })
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
