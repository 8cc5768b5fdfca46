import { ContinuityMonitor } from '../../proof/continuity-monitor.ts'
import { type MediaPlaylist, parseMediaPlaylist } from '../../proof/media-playlist.ts'
import type { Tolerances } from '../../proof/media-rules.ts'
import { parseMultivariantPlaylist } from '../../proof/multivariant-playlist.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { during, pass } from '../../support/pace.ts'
import { type Answer, ask } from '../../support/raw-http.ts'
import { startWorld, type World, type WorldOptions } from '../../support/world.ts'
import { judge as judgeMonitor, type Verdict } from './stage.ts'

/** A world whose cameras have been recorded for long, on a clock of its own. */
export interface PastStage extends AsyncDisposable {
  readonly clock: ManualClock
  readonly world: World
  pass(ms: number): Promise<void>
  /** The multivariant playlist of a range, in milliseconds since 1970. */
  url(startMs: number, endMs?: number, stream?: string): string
  ask(url: string): Promise<Answer>
  /** The media playlists that a multivariant one leads to, by rendition. */
  lists(url: string): Promise<ReadonlyMap<string, MediaPlaylist & { readonly url: string }>>
  /** What two independent judges say of all that a closed range lists. */
  judge(url: string, tolerances?: Partial<Tolerances>): Promise<Verdict>
  /** The same of a range that grows: looked at each second for `forMs`, while things happen. */
  watch(url: string, forMs: number, meanwhile?: () => Promise<void>): Promise<Verdict>
}

export async function startPast(options: Omit<WorldOptions, 'clock'> = {}): Promise<PastStage> {
  const clock = new ManualClock()
  const world = await startWorld({ ...options, clock })
  const stage: PastStage = {
    clock,
    world,
    pass: (ms) => pass(clock, ms),
    url: (startMs, endMs, stream = 'lobby') => {
      const end = endMs === undefined ? '' : `&end=${new Date(endMs).toISOString()}`
      return `${world.watchUrl(stream)}?start=${new Date(startMs).toISOString()}${end}`
    },
    ask: (url) => during(clock, ask(url)),
    lists: (url) => during(clock, readLists(url)),
    judge: (url, tolerances = {}) => judge(url, clock, tolerances),
    watch: (url, forMs, meanwhile) => watch(url, clock, forMs, meanwhile),
    async [Symbol.asyncDispose]() {
      await during(clock, world.close())
    },
  }
  return stage
}

/** The media playlists that a multivariant one leads to, by rendition. */
export async function readLists(
  url: string,
): Promise<ReadonlyMap<string, MediaPlaylist & { readonly url: string }>> {
  const { renditions } = parseMultivariantPlaylist(await text(url))
  const lists = renditions.map(async ({ name, uri }) => {
    const listUrl = new URL(uri, url).href
    return [name, { ...parseMediaPlaylist(await text(listUrl)), url: listUrl }] as const
  })
  return new Map(await Promise.all(lists))
}

async function text(url: string): Promise<string> {
  const answer = await ask(url)
  if (answer.status !== 200) throw new Error(`${answer.status} ${String(answer.body)} from ${url}`)
  return String(answer.body)
}

/** What two independent judges say of all that a closed range lists now. */
export async function judge(
  url: string,
  clock: ManualClock,
  tolerances: Partial<Tolerances> = {},
): Promise<Verdict> {
  const monitor = watcher(url, clock, tolerances)
  await during(clock, monitor.poll())
  return judgeMonitor(monitor)
}

/** The same of a range that grows: looked at each second for `forMs`. */
export async function watch(
  url: string,
  clock: ManualClock,
  forMs: number,
  meanwhile: () => Promise<void> = () => Promise.resolve(),
): Promise<Verdict> {
  const monitor = watcher(url, clock, {})
  const endMs = clock.now() + forMs
  for (let i = 0; clock.now() < endMs; i += 1) {
    await during(clock, monitor.poll())
    if (i === 5) await meanwhile()
    await pass(clock, 1_000)
  }
  return judgeMonitor(monitor)
}

function watcher(
  url: string,
  clock: ManualClock,
  tolerances: Partial<Tolerances>,
): ContinuityMonitor {
  const { signal } = new AbortController()
  return new ContinuityMonitor(url, { clock, signal, tolerances })
}
