import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import type { Page } from 'playwright-core'
import { z } from 'zod'
import { systemClock } from '../../src/base/clock.ts'
import { openSession } from '../emulator/support/client.ts'
import { cameraOf, type Product, startProduct } from '../proof/product.ts'
import { percentile } from '../proof/statistics.ts'
import { closeBrowser, newPage } from '../support/browser.ts'
import { type BenchReport, table } from './bench-report.ts'
import { addedDelays } from './delay.ts'

export interface GlassToGlassOptions {
  /** How often a player joins each list. Default 12. */
  readonly joins?: number
}

/** Lengths of fragments, in seconds. */
const LENGTHS_S = [1, 2, 4, 10] as const
type Player = 'ours' | 'kvs'

/** Of the clip `bar-code`. */
const LOOP_MS = 80_000
const FRAME_MS = 100
/** When an emulated camera's first loop began. */
const ANCHOR_MS = Date.UTC(2025, 0, 1)

/** How long a picture may take to come, and how long all are watched once they do. */
const START_MS = 60_000
const WATCH_MS = 3_000
/** Joins come at times that fit no length. */
const SPREAD_MS = 10_000
const GOLDEN = 0.618
const ADDED_S = 40

const SCRIPTS = [
  createRequire(import.meta.url).resolve('hls.js/dist/hls.js'),
  fileURLToPath(new URL('../support/in-page/bar-code.js', import.meta.url)),
]

const seenSchema = z.object({
  sightings: z.array(z.object({ name: z.string(), frame: z.int(), atMs: z.number() })),
  errors: z.array(z.string()),
})

/**
 * How long after it was made a picture is seen: on our list, and on KVS's own, played directly, of the same camera.
 *
 * hls.js in Chromium, at its defaults, joins both lists at the same instant, again and again at other moments of a
 * fragment. Each picture shows its number, so the page reads off when it was made; camera, gateway and browser have this
 * machine's clock. KVS's session is what its documentation has for players: five fragments, with dates. Meanwhile nobody
 * else watches; what the gateway adds between the two lists is measured afterwards, as `delay` does.
 */
export async function run({ joins = 12 }: GlassToGlassOptions = {}): Promise<BenchReport> {
  const product = await startProduct({
    cameras: Object.fromEntries(LENGTHS_S.map((s) => [streamOf(s), { clip: 'bar-code', join: s }])),
    defaults: { activation: 'always' },
  })
  try {
    const delays = await watch(product, joins)
    // It would take part of the processor, and keep the program from ending.
    await closeBrowser()
    const added = await Promise.all(
      LENGTHS_S.map((s) => addedDelays(product, streamOf(s), ADDED_S)),
    )
    return {
      name: 'glass-to-glass',
      what: `a picture made until it is seen, in seconds, ${joins} joins`,
      rows: LENGTHS_S.map((lengthS, i) => rowOf(lengthS, delays, percentile(added[i] ?? [], 0.5))),
    }
  } finally {
    await closeBrowser()
    await product.stop()
  }
}

const streamOf = (lengthS: number): string => `fragments-of-${lengthS}`
const nameOf = (player: Player, lengthS: number): string => `${player} ${lengthS}`

/** Returns the delay of each join by player and length, in milliseconds. */
async function watch(
  product: Product,
  joins: number,
): Promise<ReadonlyMap<string, readonly number[]>> {
  await using own = await newPage()
  for (const path of SCRIPTS) await own.page.addScriptTag({ path })
  const delays = new Map<string, number[]>()
  for (let i = 0; i < joins; i += 1) {
    const phaseMs = ((i * GOLDEN) % 1) * SPREAD_MS
    await systemClock.sleep((SPREAD_MS + phaseMs - (Date.now() % SPREAD_MS)) % SPREAD_MS)
    for (const [name, delayMs] of await join(own.page, product)) {
      delays.set(name, [...(delays.get(name) ?? []), delayMs])
    }
  }
  return delays
}

/** Joins all lists at once, and returns how late each player is then. */
async function join(page: Page, product: Product): Promise<ReadonlyMap<string, number>> {
  const urls = await urlsOf(product)
  await page.evaluate(`barCodes.begin(${JSON.stringify(urls)})`)
  const names = Object.keys(urls)
  const begun = new Set<string>()
  const endMs = performance.now() + START_MS
  while (begun.size < names.length) {
    if (performance.now() >= endMs) throw new Error(`only ${[...begun].join(', ')} play`)
    await systemClock.sleep(200)
    for (const { name } of await take(page)) begun.add(name)
  }
  await systemClock.sleep(WATCH_MS)
  const seen = Map.groupBy(await take(page), ({ name }) => name)
  return new Map(
    names.map((name) => [name, percentile((seen.get(name) ?? []).map(delayOf), 0.5)] as const),
  )
}

/** Opens a session of each camera for a player of KVS's own list, and names our list beside it. */
async function urlsOf(product: Product): Promise<Readonly<Record<string, string>>> {
  const entries = LENGTHS_S.map(async (lengthS) => {
    const stream = streamOf(lengthS)
    const session = await openSession(product.endpoint, {
      StreamName: cameraOf(stream),
      PlaybackMode: 'LIVE',
      HLSFragmentSelector: { FragmentSelectorType: 'PRODUCER_TIMESTAMP' },
      DiscontinuityMode: 'ON_DISCONTINUITY',
      DisplayFragmentTimestamp: 'ALWAYS',
    })
    return [
      [nameOf('ours', lengthS), product.watchUrl(stream)],
      [nameOf('kvs', lengthS), session],
    ] as const
  })
  return Object.fromEntries((await Promise.all(entries)).flat())
}

async function take(page: Page): Promise<z.output<typeof seenSchema>['sightings']> {
  const { sightings, errors } = seenSchema.parse(await page.evaluate('barCodes.take()'))
  if (errors.length > 0) throw new Error(errors.join('; '))
  return sightings
}

function delayOf({ frame, atMs }: { readonly frame: number; readonly atMs: number }): number {
  return (((atMs - ANCHOR_MS - frame * FRAME_MS) % LOOP_MS) + LOOP_MS) % LOOP_MS
}

function rowOf(
  lengthS: number,
  delays: ReadonlyMap<string, readonly number[]>,
  addedMs: number,
): BenchReport['rows'][number] {
  const of = (player: Player, share: number): number =>
    percentile(delays.get(nameOf(player, lengthS)) ?? [], share) / 1_000
  return {
    fragments: `${lengthS} s`,
    'ours p50': of('ours', 0.5),
    'ours p95': of('ours', 0.95),
    'KVS p50': of('kvs', 0.5),
    'KVS p95': of('kvs', 0.95),
    'p50 ratio': of('ours', 0.5) / of('kvs', 0.5),
    'added ms': addedMs,
    'goal ≤': 1 + addedMs / 1_000 / of('kvs', 0.5),
  }
}

if (import.meta.main) console.log(table(await run()))
