import { ListRoom } from '../archive/list-room.ts'
import type { Random } from '../base/backoff.ts'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Cluster } from '../cluster/cluster.ts'
import type { Config } from '../config/config.ts'
import type { EventBus } from '../events/event-bus.ts'
import type { Webhook } from '../events/webhook.ts'
import { GatewayCounters } from '../metrics/gateway-counters.ts'
import { Prices } from '../metrics/prices.ts'
import { DiskStore } from '../store/disk-store.ts'
import { FileJournals } from '../store/file-journals.ts'
import { FileTimelines } from '../store/file-timelines.ts'
import { FragmentCache } from '../store/fragment-cache.ts'
import type { Journals } from '../store/journals.ts'
import { MemoryStore } from '../store/memory-store.ts'
import type { SavedTimelines } from '../store/saved-timelines.ts'
import { openStateDir } from '../store/state-dir.ts'
import { Histories } from '../streams/history.ts'
import { UpstreamAgent } from '../upstream/agent.ts'
import { chainRegion } from '../upstream/kvs/chain-region.ts'
import type { KvsApi } from '../upstream/kvs/kvs-api.ts'
import { KvsApiOnDemand } from '../upstream/kvs/kvs-api-on-demand.ts'
import { StreamQuotas } from '../upstream/kvs/stream-quotas.ts'
import { OriginKeys } from '../upstream/origin/origin-keys.ts'
import type { Proxies } from '../upstream/proxies.ts'
import { publicLookup } from '../upstream/public-lookup.ts'
import { openCluster } from './open-cluster.ts'
import { openEvents, openWebhook } from './open-events.ts'
import { PeerNodes } from './peer-nodes.ts'

/** How many segments all lists of the past may have together, some 200 bytes each (G18). */
const MOST_ARCHIVE_ENTRIES = 500_000

/** What all streams share. */
export interface Shared {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly counters: GatewayCounters
  /** Tells what happens that somebody would act on. */
  readonly events: EventBus
  /** Sends it to whoever is configured. */
  readonly webhook: Webhook
  /** What each stream did lately. */
  readonly histories: Histories
  readonly dispatcher: UpstreamAgent
  /** Reaches hosts that nobody has configured. */
  readonly publicDispatcher: UpstreamAgent
  readonly api: KvsApi
  readonly quotas: StreamQuotas
  readonly prices: Prices
  readonly originKeys: OriginKeys
  readonly store: MemoryStore
  readonly cache: FragmentCache
  readonly disk: DiskStore | undefined
  readonly saved: SavedTimelines | undefined
  readonly journals: Journals | undefined
  /** The other nodes; undefined where this is the only one. */
  readonly cluster: Cluster | undefined
  readonly peers: PeerNodes | undefined
  /** Reaches them: no proxy stands between nodes. */
  readonly peerAgent: UpstreamAgent
  /** The room of all lists of the past. */
  readonly archiveLists: ListRoom
}

export async function openShared(
  config: Config,
  { clock, random, proxies }: Pick<Shared, 'clock' | 'random'> & { readonly proxies: Proxies },
  log: Log,
): Promise<Shared> {
  const { maxBytes, dir, dirMaxBytes } = config.cache
  const counters = new GatewayCounters()
  const region = config.aws.region ?? (await chainRegion())
  const store = new MemoryStore({ clock, maxBytes })
  const peerAgent = new UpstreamAgent()
  const dispatcher = new UpstreamAgent(proxies)
  const events = openEvents(config, { clock, log, counters })
  const webhook = openWebhook(config, { clock, random, log, counters, agent: dispatcher })
  events.listen((event) => webhook.offer(event))
  const cluster = await openCluster(config, { clock, random, log, agent: peerAgent })
  const state = dir === undefined ? undefined : await openStateDir(dir)
  const disk =
    state === undefined
      ? undefined
      : await DiskStore.open({ dir: state.fragments, maxBytes: dirMaxBytes, log })
  return {
    clock,
    random,
    log,
    counters,
    events,
    webhook,
    histories: new Histories(),
    store,
    cache: new FragmentCache({
      clock,
      store,
      tiers: [disk, cluster?.tier].flatMap((tier) => tier ?? []),
      hits: counters.cacheHits.cell({}),
      misses: counters.cacheMisses.cell({}),
      coalesced: counters.coalescedRequests.cell({}),
    }),
    dispatcher,
    publicDispatcher: new UpstreamAgent(proxies, publicLookup()),
    api: new KvsApiOnDemand(clock, random, { ...config.aws, proxies }),
    originKeys: new OriginKeys(),
    quotas: new StreamQuotas({ clock, region, share: config.aws.quotaShare }),
    prices: new Prices({ region, usdPerGb: config.aws.usdPerGb, log }),
    disk,
    cluster,
    peers: cluster && new PeerNodes(cluster, clock, peerAgent),
    peerAgent,
    saved: cluster?.timelines ?? (state && new FileTimelines(state.timelines, log)),
    archiveLists: new ListRoom(MOST_ARCHIVE_ENTRIES),
    journals: cluster?.journals ?? (state && new FileJournals(state.journals, log)),
  }
}
