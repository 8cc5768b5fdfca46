import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { type BenchReport, table } from './bench-report.ts'
import { h2load } from './h2load.ts'
import { startNginxCache } from './nginx-cache.ts'
import { congestionControl, inOwnNetwork } from './own-network.ts'
import { firstLine, pinned, stopped } from './pinned.ts'
import { type WrkOptions, wrk } from './wrk.ts'

const servingOptions = z.object({
  seconds: z.number().default(3).describe('Of each single run'),
  pairs: z.number().default(5).describe('Runs of each server per body'),
})

export type ServingOptions = z.input<typeof servingOptions>
type Measured = z.output<typeof servingOptions>

const SERVER_CORE = 0
const CLIENT_CORE = 1
const CONNECTIONS = 32

const target = z.object({
  port: z.number(),
  securePort: z.number(),
  playlist: z.string(),
  fragment: z.string(),
})
const report = z.object({
  name: z.string(),
  what: z.string(),
  rows: z.array(z.record(z.string(), z.union([z.string(), z.number()]))),
})

/**
 * How much one core serves, against nginx with proxy_cache on the same core serving the same bytes.
 *
 * Runs alternate, gateway then nginx, and each pair gives one ratio; the medians are shown, so that
 * whatever else the machine does meets both alike. wrk, or h2load over HTTP/2 and TLS, has a core of its own.
 */
export async function run(options: ServingOptions = {}): Promise<BenchReport> {
  const inside = await inOwnNetwork(fileURLToPath(import.meta.url), JSON.stringify(options))
  return inside === undefined
    ? measure(servingOptions.parse(options))
    : report.parse(JSON.parse(inside))
}

async function measure({ seconds, pairs }: Measured): Promise<BenchReport> {
  const server = pinned(SERVER_CORE, process.execPath, [sibling('serving-target.ts')])
  try {
    const { port, securePort, playlist, fragment } = target.parse(
      JSON.parse(await firstLine(server)),
    )
    const nginx = await startNginxCache(port, SERVER_CORE)
    try {
      const at = (base: number, path: string): string => `127.0.0.1:${base}${path}`
      const plain = (path: string): Promise<Comparison> =>
        compareAt(wrk, `http://${at(port, path)}`, `http://${at(nginx.port, path)}`, {
          seconds,
          pairs,
        })
      const secure = (path: string): Promise<Comparison> =>
        compareAt(
          h2load,
          `https://${at(securePort, path)}`,
          `https://${at(nginx.securePort, path)}`,
          {
            seconds,
            pairs,
          },
        )
      return {
        name: 'serving',
        what: `one core, ${CONNECTIONS} connections, TCP ${congestionControl()}, medians of ${pairs} pairs`,
        rows: [
          row('playlist', 'requests/s', await plain(playlist), 1),
          row('1-MiB fragment', 'GB/s', await plain(fragment), 2 ** 20 / 1e9),
          row('playlist, HTTP/2 and TLS', 'requests/s', await secure(playlist), 1),
          row('1-MiB fragment, HTTP/2 and TLS', 'GB/s', await secure(fragment), 2 ** 20 / 1e9),
        ],
      }
    } finally {
      await nginx.stop()
    }
  } finally {
    await stopped(server)
  }
}

interface Comparison {
  readonly gateway: number
  readonly nginx: number
  readonly ratio: number
}

async function compareAt(
  load: (url: string, options: WrkOptions) => Promise<number>,
  gateway: string,
  nginx: string,
  { seconds, pairs }: Measured,
): Promise<Comparison> {
  const options = { core: CLIENT_CORE, seconds, connections: CONNECTIONS }
  // Warms the JIT of the one and the cache of the other.
  for (const url of [gateway, nginx]) await load(url, { ...options, seconds: 1 })
  const runs: Comparison[] = []
  for (let i = 0; i < pairs; i += 1) {
    const ours = await load(gateway, options)
    const theirs = await load(nginx, options)
    runs.push({ gateway: ours, nginx: theirs, ratio: ours / theirs })
  }
  return {
    gateway: median(runs.map((pair) => pair.gateway)),
    nginx: median(runs.map((pair) => pair.nginx)),
    ratio: median(runs.map((pair) => pair.ratio)),
  }
}

function row(
  body: string,
  unit: string,
  found: Comparison,
  scale: number,
): BenchReport['rows'][number] {
  const { gateway, nginx, ratio } = found
  return { body, unit, gateway: gateway * scale, nginx: nginx * scale, ratio }
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

function sibling(file: string): string {
  return fileURLToPath(new URL(file, import.meta.url))
}

if (import.meta.main) {
  const options: unknown = JSON.parse(process.argv[2] ?? '{}')
  const found = await measure(servingOptions.parse(options))
  console.log(process.stdout.isTTY ? table(found) : JSON.stringify(found))
}
