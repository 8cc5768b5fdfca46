import { isDeepStrictEqual } from 'node:util'
import type { Config } from '../config/config.ts'
import type { ReloadReport } from '../http/routes/reload-api.ts'
import { changeOf, type StreamChange } from './change-of.ts'
import { streamConfigs } from './stream-config-of.ts'

/** Sections that hold from the next start on only, because what is made of them is there for the process's life. */
const FIXED = ['server', 'admin', 'aws', 'cache', 'redis'] as const
/** Sections that are applied as a whole. */
const APPLIED = ['cdn', 'limits', 'events', 'log', 'auth', 'dynamicStreams'] as const

/**
 * Says what becomes of what runs by one configuration when another one is read.
 * @param open the streams that are there, those by pattern among them
 */
export function planReload(before: Config, after: Config, open: Iterable<string>): ReloadReport {
  const isOpen = new Set([...before.streams.map(({ name }) => name), ...open])
  const [was, is] = [streamConfigs(before), streamConfigs(after)]
  const byChange = Map.groupBy(isOpen, (name): StreamChange | 'removed' => {
    const [old, next] = [was(name), is(name)]
    return old === undefined || next === undefined ? 'removed' : changeOf(old, next)
  })
  const added = after.streams.map(({ name }) => name).filter((name) => !isOpen.has(name))
  const unchanged = byChange.get('none')?.length ?? 0
  return {
    streams: {
      added,
      changed: byChange.get('viewing') ?? [],
      sourceChanged: byChange.get('source') ?? [],
      removed: byChange.get('removed') ?? [],
      unchanged,
    },
    applied: [
      ...(unchanged < isOpen.size || added.length > 0 ? ['streams'] : []),
      ...APPLIED.filter((section) => !isDeepStrictEqual(before[section], after[section])),
      ...(hasOtherFiles(before, after) ? ['server.tls'] : []),
    ],
    needsRestart: FIXED.flatMap((section) => changedKeys(section, before, after)),
  }
}

/** Returns what holds once a configuration was read again: what needs a restart stays as it was. */
export function inForce(before: Config, after: Config): Config {
  const { server, admin, aws, cache, redis } = before
  const { tls } = after.server
  const keepsTls = server.tls === undefined || tls === undefined
  return {
    ...after,
    server: keepsTls ? server : { ...server, tls },
    admin,
    aws,
    cache,
    redis,
  }
}

function hasOtherFiles({ server: before }: Config, { server: after }: Config): boolean {
  const { tls } = before
  return tls !== undefined && after.tls !== undefined && !isDeepStrictEqual(tls, after.tls)
}

/** Names the keys of a section that change, as an operator writes them. */
function changedKeys(
  section: (typeof FIXED)[number],
  before: Config,
  after: Config,
): readonly string[] {
  const [old, next] = [valuesOf(before[section]), valuesOf(after[section])]
  return [...new Set([...old.keys(), ...next.keys()])]
    .filter((key) => !isDeepStrictEqual(old.get(key), next.get(key)))
    .filter((key) => key !== 'tls' || !hasOtherFiles(before, after))
    .map((key) => `${section}.${key.replace(/Ms$/, '')}`)
}

function valuesOf(section: object): ReadonlyMap<string, unknown> {
  return new Map(Object.entries(section))
}
