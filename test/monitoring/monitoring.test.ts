import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse, stringify } from 'yaml'
import { z } from 'zod'
import { systemClock } from '../../src/base/clock.ts'
import { RedisServer } from '../proof/redis-server.ts'
import { hasTool } from '../support/tools.ts'
import { startWorld, type World } from '../support/world.ts'

/** What we ship for Prometheus and Grafana, against the metrics of a gateway that runs. */
const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const read = (file: string): Promise<string> => readFile(join(ROOT, file), 'utf8')

const rules = z.object({
  groups: z.array(
    z.object({
      rules: z.array(
        z.object({
          alert: z.string().regex(/^Kvs[A-Z]/),
          expr: z.string(),
          for: z.string().optional(),
          labels: z.strictObject({ severity: z.enum(['critical', 'warning']) }),
          annotations: z.strictObject({ summary: z.string(), description: z.string() }),
        }),
      ),
    }),
  ),
})

const place = z.object({ x: z.int(), y: z.int(), w: z.int(), h: z.int() })
const source = z.object({
  type: z.literal('prometheus'),
  uid: z.string().regex(/^\$\{datasource\}$/),
})
const panel = z.object({
  id: z.int(),
  type: z.enum(['row', 'stat', 'timeseries']),
  title: z.string().min(1),
  gridPos: place,
  datasource: source.optional(),
  targets: z
    .array(z.object({ refId: z.string(), datasource: source, expr: z.string() }))
    .default([]),
})
/** What of Grafana's classic dashboard model an import needs. */
const dashboard = z.object({
  uid: z.string().min(1).max(40),
  title: z.string(),
  schemaVersion: z.literal(39),
  templating: z.object({
    list: z.array(z.object({ name: z.string(), type: z.enum(['datasource', 'query']) })),
  }),
  panels: z.array(panel),
})

let exprs: readonly string[]
let panels: readonly z.infer<typeof panel>[]

beforeAll(async () => {
  const { groups } = rules.parse(parse(await read('config/monitoring/prometheus-rules.yaml')))
  const text: unknown = JSON.parse(await read('config/monitoring/grafana-dashboard.json'))
  const board = dashboard.parse(text)
  panels = board.panels
  expect(board.templating.list.map(({ name }) => name)).toEqual(['datasource', 'job', 'stream'])
  exprs = [
    ...groups.flatMap((group) => group.rules.map(({ expr }) => expr)),
    ...panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)),
  ]
})

test('the panels of the dashboard have numbers of their own and do not lie on each other', () => {
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length)
  const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
    Array.from({ length: w * h }, (_, i) => `${x + (i % w)} ${y + Math.floor(i / w)}`),
  )
  expect(new Set(cells).size).toBe(cells.length)
  for (const { gridPos } of panels) expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24)
})

describe.skipIf(!hasTool('promtool'))('promtool', () => {
  test.each([
    ['check', 'config', 'config/monitoring/prometheus.yaml'],
    ['test', 'rules', 'test/monitoring/rules.test.yaml'],
  ])('%s %s %s', async (...args) => {
    expect(await promtool(args)).toMatch(/SUCCESS/)
  })

  test('each alert is proved by a test of the rules', async () => {
    const proofs = await read('test/monitoring/rules.test.yaml')
    const alerts = (await read('config/monitoring/prometheus-rules.yaml')).matchAll(/alert: (\w+)/g)
    expect(
      Array.from(alerts, ([, name = '']) => name).filter((name) => !proofs.includes(name)),
    ).toEqual([])
  })

  test('reads what the panels ask for', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'promtool-'))
    const asked = panels.flatMap(({ id, targets }) =>
      targets.map(({ refId, expr }) => ({ record: `panel:${id}:${refId}`, expr: filled(expr) })),
    )
    try {
      const file = join(folder, 'panels.yaml')
      await writeFile(file, stringify({ groups: [{ name: 'panels', rules: asked }] }))
      expect(await promtool(['check', 'rules', file])).toContain(`${asked.length} rules found`)
    } finally {
      await rm(folder, { recursive: true })
    }
  })
})

describe.skipIf(!hasTool('redis-server'))('a gateway that runs', () => {
  let dir: string
  let redis: RedisServer
  let world: World
  let scraped: string

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'monitored-'))
    redis = await RedisServer.start()
    world = await startWorld({
      clock: systemClock,
      cameras: { lobby: { clip: 'video-only' } },
      defaults: { dvr: '1m', startTimeout: '60s' },
      cache: { dir },
      config: { redis: { url: redis.url } },
    })
    expect((await fetch(world.watchUrl())).status).toBe(200)
    scraped = await (await fetch(`${world.gateway.adminUrl}/metrics`)).text()
  })
  afterAll(async () => {
    await world.close()
    await redis.kill()
    await rm(dir, { recursive: true, force: true })
  })

  test('has every metric that rules and dashboard ask for, with these labels', () => {
    const known = knownSeries(scraped)
    const unknown = exprs.flatMap(seriesIn).filter(({ name, labels }) => {
      const its = known.get(name)
      return its === undefined || (its.size > 0 && labels.some((label) => !its.has(label)))
    })
    expect(unknown).toEqual([])
  })

  test.skipIf(!hasTool('promtool'))('has metrics that promtool finds no fault with', async () => {
    expect(await promtool(['check', 'metrics'], ownOnly(scraped))).toBe('')
  })
})

/** Labels that Prometheus adds, and `le`, which is each histogram's. */
const ADDED = ['job', 'instance', 'le']

/** Names of series, with the labels of those that have been seen. */
function knownSeries(scraped: string): ReadonlyMap<string, ReadonlySet<string>> {
  const known = new Map<string, Set<string>>([['up', new Set(ADDED)]])
  for (const [, name = '', type] of scraped.matchAll(/^# TYPE (\S+) (\S+)$/gm)) {
    const suffixes = type === 'histogram' ? ['_bucket', '_sum', '_count'] : ['']
    for (const suffix of suffixes) known.set(name + suffix, new Set())
  }
  for (const [, name = '', labels = ''] of scraped.matchAll(/^(\w+)(?:\{(.*)\})? \S+$/gm)) {
    const its = known.get(name)
    for (const [, label = ''] of labels.matchAll(/(\w+)="/g)) its?.add(label)
    for (const label of ADDED) its?.add(label)
  }
  return known
}

interface Asked {
  readonly name: string
  readonly labels: readonly string[]
}

/** The series that an expression selects, with the labels that it selects them by. */
function seriesIn(expr: string): readonly Asked[] {
  const found = expr.matchAll(/\b(kvs_gateway_\w+|process_\w+|nodejs_\w+|up)\b(?:\{([^}]*)\})?/g)
  return Array.from(found, ([, name = '', selector = '']) => ({
    name,
    labels: Array.from(selector.matchAll(/(\w+)(?:=|!)/g), ([, label = '']) => label),
  }))
}

/** An expression with values for what Grafana fills in. */
function filled(expr: string): string {
  return expr.replaceAll('$__rate_interval', '5m').replaceAll('$__range', '1h')
}

/** The metrics that are ours: how prom-client calls the process's is not. */
function ownOnly(scraped: string): string {
  const lines = scraped.split('\n')
  return `${lines.filter((line) => /^(# (HELP|TYPE) )?kvs_gateway_/.test(line)).join('\n')}\n`
}

async function promtool(args: readonly string[], input = ''): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const child = execFile('promtool', args, { cwd: ROOT }, (error, stdout, stderr) => {
    if (error === null) resolve(stdout + stderr)
    else reject(new Error(`promtool ${args.join(' ')}: ${stdout}${stderr}`, { cause: error }))
  })
  child.stdin?.end(input)
  return promise
}
