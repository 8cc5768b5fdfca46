import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { silentLog } from '../../src/base/log.ts'
import type { Config } from '../../src/config/config.ts'
import { parseConfig } from '../../src/config/load.ts'
import { OpenStreams } from '../../src/gateway/open-streams.ts'
import { inForce, planReload } from '../../src/gateway/plan-reload.ts'
import { Reloading } from '../../src/gateway/reloading.ts'
import { openShared, type Shared } from '../../src/gateway/shared.ts'
import type { LiveStream } from '../../src/streams/live-stream.ts'
import type { StreamView } from '../../src/streams/stream.ts'
import { proxiesOf } from '../../src/upstream/proxies.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { pass } from '../support/scripted-stream.ts'

type Section = Readonly<Record<string, unknown>>

const configOf = (file: Section): Config =>
  parseConfig('gateway.yaml', JSON.stringify({ aws: { region: 'us-west-2' }, ...file }), {})

const NAMES = ['lobby', 'yard', 'cam-1', 'cam-2', 'hall'] as const
const source = fc.record({
  streamName: fc.constantFrom('one', 'two'),
  expires: fc.constantFrom('1h', '2h'),
})
const viewing = fc.record(
  {
    window: fc.integer({ min: 3, max: 6 }),
    dvr: fc.constantFrom('0s', '1m', '1h'),
    onSignalLoss: fc.constantFrom('hold', 'slate', 'fail'),
    activation: fc.constantFrom('on-demand', 'always'),
    maxClip: fc.constantFrom('1m', '1h'),
    backup: fc.record({ kvs: fc.record({ streamName: fc.constantFrom('three', 'four') }) }),
  },
  { requiredKeys: [] },
)
const stream = fc.oneof(
  fc.tuple(source, viewing).map(([kvs, settings]) => ({ kvs, ...settings })),
  viewing.map((settings) => ({ hls: { url: 'https://origin.example/a.m3u8' }, ...settings })),
)
const pattern = fc
  .tuple(fc.constantFrom('^cam-[0-9]$', '^(lobby|cam-1)$'), viewing)
  .map(([match, { backup: _backup, ...settings }]) => ({ match, ...settings }))
const file = fc
  .record({
    streams: fc.dictionary(fc.constantFrom(...NAMES), stream, { noNullPrototype: true }),
    dynamicStreams: fc.array(pattern, { maxLength: 2 }),
  })
  .filter(({ streams, dynamicStreams }) => Object.keys(streams).length + dynamicStreams.length > 0)

/** The streams of a gateway, none of which runs: so nothing is asked of a socket. */
async function open(): Promise<{ clock: ManualClock; shared: Shared; streams: OpenStreams }> {
  const clock = new ManualClock()
  const deps = { clock, random: () => 0.5, proxies: proxiesOf({}) }
  const shared = await openShared(
    configOf({ streams: { none: { kvs: { streamName: 'none' } } } }),
    deps,
    silentLog,
  )
  return { clock, shared, streams: new OpenStreams(shared, new AbortController().signal) }
}

async function close({ shared, streams }: { shared: Shared; streams: OpenStreams }): Promise<void> {
  await streams.set.close()
  await shared.webhook.close()
  shared.api.close()
}

function describeStream(stream: LiveStream): unknown {
  const { name, state, activation, onSignalLoss, archives, reach, view, sources } = stream
  return {
    name,
    state,
    activation,
    onSignalLoss,
    maxClipMs: archives?.maxClipMs,
    keepsPast: view.dvr !== undefined,
    archive: reach.archive,
    hasBackup: sources.hasBackup,
  }
}

/** All that can be told of streams without running them, those by pattern apart that nobody has asked for. */
function describeAll(streams: OpenStreams, shared: Shared, asked: ReadonlySet<string>): unknown {
  const { set } = streams
  const all = [...set.all()].filter(({ name }) => !set.isDynamic(name) || asked.has(name))
  return {
    names: set.names(),
    all: all
      .map(describeStream)
      .toSorted((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b))),
    mayExist: [...NAMES, 'cam-9', 'other'].filter((name) => set.mayExist(name)),
    labels: NAMES.map((name) => [name, shared.counters.labelOf(name)]),
    counted: new Set(
      Array.from(shared.counters.upstreamBytes.samples(), ({ labels }) => labels['stream']).filter(
        (label) => label?.startsWith('/') === false,
      ),
    ),
  }
}

/** Asks for streams by pattern, as viewers do; tells which are there. */
async function ask({ set }: OpenStreams, names: readonly string[]): Promise<ReadonlySet<string>> {
  const there = new Set<string>()
  for (const name of names.filter((each) => set.isDynamic(each) && set.mayExist(each))) {
    await set.using(name, () => Promise.resolve(), 'viewer')
    there.add(name)
  }
  return there
}

test('any sequence of reloads ends where a fresh start with the last file does', async () => {
  const asked = fc.subarray([...NAMES])
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(file, asked), { minLength: 2, maxLength: 5 }),
      async (steps) => {
        const reloaded = await open()
        const fresh = await open()
        try {
          for (const [each, names] of steps) {
            await reloaded.streams.change(configOf(each), new Map(), () => {})
            await ask(reloaded.streams, names)
          }
          await pass(reloaded.clock, 40_000)
          const last = configOf(steps.at(-1)?.[0] ?? {})
          await fresh.streams.change(last, new Map(), () => {})
          // By now the fresh one was asked for all that is there.
          const there = await ask(fresh.streams, reloaded.streams.names())
          expect(describeAll(reloaded.streams, reloaded.shared, there)).toEqual(
            describeAll(fresh.streams, fresh.shared, there),
          )
        } finally {
          await close(reloaded)
          await close(fresh)
        }
      },
    ),
    { numRuns: 20 },
  )
})

test('what did not change is the same stream, and shows the same view', async () => {
  await fc.assert(
    fc.asyncProperty(file, file, async (first, second) => {
      const opened = await open()
      const { streams } = opened
      const [before, after] = [configOf(first), configOf(second)]
      try {
        await streams.change(before, new Map(), () => {})
        await ask(streams, NAMES)
        const seen = new Map(
          [...streams.set.all()].map((each): [string, Seen] => [
            each.name,
            { stream: each, view: each.view },
          ]),
        )
        const { streams: plan } = planReload(before, after, streams.names())
        await streams.change(after, new Map(), () => {})
        const touched = new Set([...plan.changed, ...plan.sourceChanged, ...plan.removed])
        expect(streams.names().toSorted()).toEqual(
          [...seen.keys(), ...plan.added].filter((name) => !plan.removed.includes(name)).toSorted(),
        )
        for (const [name, { stream: was, view }] of seen) {
          if (!plan.removed.includes(name)) expect(streams.set.get(name)).toBe(was)
          if (!touched.has(name)) expect(streams.set.get(name)?.view).toBe(view)
        }
      } finally {
        await close(opened)
      }
    }),
    { numRuns: 20 },
  )
})

interface Seen {
  readonly stream: LiveStream
  readonly view: StreamView
}

test('one that cannot be opened changes nothing', async () => {
  const opened = await open()
  const { streams, shared } = opened
  await streams.change(
    configOf({ streams: { lobby: { kvs: { streamName: 'one' } } } }),
    new Map(),
    () => {},
  )
  const broken = {
    ...shared,
    saved: { ...shared.saved, load: () => Promise.reject(new Error('no disk')) },
  }
  Object.assign(shared, broken)
  const next = { yard: { kvs: { streamName: 'two' } }, lobby: { kvs: { streamName: 'two' } } }
  let changed = false
  await expect(
    streams.change(configOf({ streams: next }), new Map(), () => {
      changed = true
    }),
  ).rejects.toThrow('no disk')
  expect(changed).toBe(false)
  expect(streams.names()).toEqual(['lobby'])
  await close(opened)
})

describe('a plan', () => {
  const one = { lobby: { kvs: { streamName: 'one' } } }
  const plan = (before: Section, after: Section) =>
    planReload(configOf({ streams: one, ...before }), configOf({ streams: one, ...after }), [])

  test.each([
    [{ server: { port: 1, host: '::' } }, ['server.host', 'server.port']],
    [{ server: { drainDelay: '5s' } }, ['server.drainDelay']],
    [{ admin: { token: 'a-new-one' } }, ['admin.token']],
    [{ cache: { dir: 'state' } }, ['cache.dir']],
    [{ redis: { url: 'redis://127.0.0.1' } }, ['redis.url']],
    [{ aws: { region: 'us-west-2', quotaShare: 0.3 } }, ['aws.quotaShare']],
    [{ server: { tls: { cert: 'a', key: 'b' } } }, ['server.tls']],
  ])('names what waits for a restart: %j', (after, needsRestart) => {
    expect(plan({}, after)).toMatchObject({ needsRestart, applied: [] })
    expect(inForce(configOf({ streams: one }), configOf({ streams: one, ...after }))).toEqual(
      configOf({ streams: one }),
    )
  })

  test.each([
    [{ log: { level: 'debug' } }, 'log'],
    [{ limits: { running: 5 } }, 'limits'],
    [{ cdn: { staleIfError: '60s' } }, 'cdn'],
    [{ auth: { mode: 'cdn-secret', secrets: ['a'] } }, 'auth'],
    [{ events: { types: ['stream.lost'] } }, 'events'],
    [{ dynamicStreams: [{ match: '^x$' }] }, 'dynamicStreams'],
  ])('names what is in force at once: %j', (after, section) => {
    expect(plan({}, after)).toMatchObject({ applied: [section], needsRestart: [] })
  })

  test('other certificate files are no restart', () => {
    const tls = (cert: string): Section => ({ server: { tls: { cert, key: 'key.pem' } } })
    expect(plan(tls('a.pem'), tls('b.pem'))).toMatchObject({
      applied: ['server.tls'],
      needsRestart: [],
    })
  })

  test('a certificate that was replaced in place is told', async () => {
    const config = configOf({ streams: one })
    const reloadWith = (files: readonly string[]) =>
      new Reloading(config, {
        log: silentLog,
        events: { emit: () => {} },
        read: () => Promise.resolve(config),
        open: () => [],
        apply: () => Promise.resolve(files),
      }).reload()
    const applied = ['server.tls']
    expect(await reloadWith(applied)).toMatchObject({ applied })
    expect(await reloadWith([])).toMatchObject({ applied: [] })
  })

  test('of the same is nothing', () => {
    fc.assert(
      fc.property(file, (each) => {
        const config = configOf(each)
        expect(isDeepStrictEqual(config, configOf(each))).toBe(true)
        expect(planReload(config, configOf(each), [])).toMatchObject({
          applied: [],
          needsRestart: [],
        })
      }),
    )
  })
})
