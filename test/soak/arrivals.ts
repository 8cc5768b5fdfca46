import type { Clock } from '../../src/base/clock.ts'
import { httpGet } from '../proof/http-get.ts'
import type { Product } from '../proof/product.ts'
import { seededRandom } from '../proof/seeded-random.ts'
import { Viewer } from '../proof/viewer.ts'
import { ArchiveViewer } from './archive-viewer.ts'
import type { Audience, Watcher } from './audience.ts'
import { ByteLedger } from './byte-ledger.ts'
import { SOAK_STREAMS, type SoakStream } from './cameras.ts'
import { ClipViewer } from './clip-viewer.ts'
import { DvrViewer } from './dvr-viewer.ts'
import { PastClient } from './past-client.ts'

const GROUPS = ['live', 'dvr', 'dvr by deltas', 'archive', 'clip'] as const
type Group = (typeof GROUPS)[number]

/** Of ten viewers, what each watches. */
const TEN: readonly Group[] = [
  'live',
  'dvr by deltas',
  'live',
  'archive',
  'live',
  'dvr',
  'live',
  'clip',
  'live',
  'archive',
]

/** Viewers come within this time, as after a start of the working day. */
const ARRIVAL_MS = 30_000
/** Those who look back come when there is something to look back to. */
const PAST_MS = 20_000

export interface Arrival {
  readonly group: Group
  readonly stream: string
  readonly afterMs: number
}

/** The viewers of each group take the streams that it can watch in turn. */
export function arrivals(viewers: number, of = SOAK_STREAMS): readonly Arrival[] {
  const met = new Map<Group, number>()
  return Array.from({ length: viewers }, (_, i): Arrival => {
    const group = TEN[i % TEN.length] ?? 'live'
    const turn = met.get(group) ?? 0
    met.set(group, turn + 1)
    const streams = of.filter((stream) => offers(stream, group))
    const stream = streams[turn % streams.length]?.name ?? ''
    const afterMs = (ARRIVAL_MS * i) / viewers + (group === 'live' ? 0 : PAST_MS)
    return { group, stream, afterMs }
  })
}

function offers({ hasDvr, follows }: SoakStream, group: Group): boolean {
  if (group === 'live') return true
  // Another HLS origin keeps no recording.
  return group.startsWith('dvr') ? hasDvr === true : follows === undefined
}

/** Where viewers watch, and how. */
export interface Seats extends Pick<Product, 'watchUrl'> {
  /** How viewers ask. Left out: once. */
  readonly get?: typeof httpGet
  /** Default: all. */
  readonly streams?: readonly SoakStream[]
  /** Answers come from several nodes. */
  readonly manyNodes?: boolean
}

export interface Reception {
  readonly product: Seats
  readonly audience: Audience
  readonly clock: Clock
  readonly seed: number
  readonly signal: AbortSignal
}

/** Lets the viewers in, and resolves when they have left. */
export async function welcome(reception: Reception, viewers: number): Promise<void> {
  const { audience, clock, signal } = reception
  const ledger = new ByteLedger()
  const come = async (arrival: Arrival, i: number): Promise<void> => {
    try {
      await clock.sleep(arrival.afterMs, signal)
    } catch {
      // The soak ended before this viewer came.
      return
    }
    await audience.watch(arrival.group, watcher(reception, arrival, ledger, i))
  }
  await Promise.all(arrivals(viewers, reception.product.streams).map(come))
}

function watcher(
  { product, audience, clock, seed, signal }: Reception,
  { group, stream }: Arrival,
  ledger: ByteLedger,
  i: number,
): Watcher {
  const onIncident = audience.judgeOf(stream)
  const { get = httpGet, manyNodes = false } = product
  const live = product.watchUrl(stream)
  if (group === 'live') return new Viewer(live, { clock, signal, onIncident, get })
  const random = seededRandom(seed * 100_003 + i)
  const options = { stream, clock, random, signal, ledger, onIncident, get, manyNodes }
  const client = new PastClient(options)
  if (group === 'archive') return new ArchiveViewer(client, new URL(live))
  if (group === 'clip') return new ClipViewer(client, new URL(`/clip/${stream}.mp4`, live))
  return new DvrViewer(client, new URL('dvr.m3u8', live), group === 'dvr by deltas')
}
