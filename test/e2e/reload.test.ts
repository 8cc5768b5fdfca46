import { expect, test } from 'vitest'
import { z } from 'zod'
import type { ReloadReport } from '../../src/http/routes/reload-api.ts'
import { during } from '../support/pace.ts'
import { ask } from '../support/raw-http.ts'
import { discontinuities, type Stage, startStage } from './support/stage.ts'

/** `lobby` is watched; what becomes of it and of the others when the configuration is read again. */
const CAMERA = { clip: 'av-180p' } as const
/** The hall's pictures are of another size. */
const CAMERAS = { lobby: CAMERA, yard: CAMERA, hall: { clip: 'av-360p' } } as const

type Streams = Readonly<Record<string, unknown>>

const kvs = (name: string) => ({ kvs: { streamName: `${name}-camera` } })

const start = (streams: Streams, more = {}): Promise<Stage> =>
  startStage({ cameras: CAMERAS, config: { streams, ...more } })

const reload = ({ clock, world }: Stage, streams: Streams, more = {}): Promise<ReloadReport> =>
  during(clock, world.reload({ config: { streams, ...more } }))

const statusOf = async ({ clock, world }: Stage, path: string, headers = {}): Promise<number> =>
  (await during(clock, ask(world.gateway.publicUrl + path, { headers }))).status

const opened = ({ world }: Stage, stream: string): number =>
  world.lines.filter(
    ({ event, fields }) => event === 'session opened' && fields['stream'] === stream,
  ).length

test('G1, G2: reloads of other streams, and of how this one is shown, leave no trace', async () => {
  await using stage = await start({ lobby: kvs('lobby'), yard: kvs('yard') })
  await stage.pass(10_000)
  expect(await statusOf(stage, '/hls/yard/master.m3u8')).toBe(200)

  const lobby = {
    ...kvs('lobby'),
    window: 10,
    dvr: '10m',
    onSignalLoss: 'slate',
    idleTimeout: '5m',
  }
  expect(await reload(stage, { lobby, yard: kvs('hall'), hall: kvs('hall') })).toEqual({
    streams: {
      added: ['hall'],
      changed: ['lobby'],
      sourceChanged: ['yard'],
      removed: [],
      unchanged: 0,
    },
    applied: ['streams'],
    needsRestart: [],
  })
  await stage.pass(10_000)
  expect(await statusOf(stage, '/hls/hall/master.m3u8')).toBe(200)
  expect(await statusOf(stage, '/hls/lobby/dvr.m3u8')).toBe(200)

  const back = { lobby: { ...kvs('lobby'), window: 4, activation: 'always' } }
  const report = await reload(stage, back, { cdn: { tagHeader: 'xkey' } })
  expect(report).toMatchObject({
    streams: { changed: ['lobby'], removed: ['yard', 'hall'] },
    applied: ['streams', 'cdn'],
  })
  await stage.pass(20_000)
  expect(await statusOf(stage, '/hls/yard/master.m3u8')).toBe(404)
  expect(await statusOf(stage, '/hls/lobby/dvr.m3u8')).not.toBe(200)
  expect(await reload(stage, back, { cdn: { tagHeader: 'xkey' } })).toMatchObject({
    streams: { unchanged: 1 },
    applied: [],
  })
  await stage.pass(20_000)

  const seamless = { warnings: [], gaps: [], runs: 1 }
  expect(await stage.verdict()).toMatchObject({
    faults: [],
    discontinuities: 0,
    missed: 0,
    decoded: { video: seamless, audio: seamless },
  })
  expect(opened(stage, 'lobby')).toBe(1)
  expect(stage.world.counters('lobby').activeSessions).toBe(1)
  expect(stage.world.counters('hall').activeSessions).toBe(0)
})

test('G1, G4: another source is one discontinuity, and leaves no session of the one before', async () => {
  await using stage = await start({ lobby: kvs('lobby') })
  await stage.pass(15_000)
  expect(await reload(stage, { lobby: kvs('hall') })).toMatchObject({
    streams: { sourceChanged: ['lobby'] },
  })
  await stage.pass(35_000)
  expect(await stage.verdict()).toMatchObject({ faults: [], discontinuities: 1, missed: 0 })
  expect(discontinuities(stage)).toEqual(['source'])
  expect(stage.world.counters('lobby').activeSessions).toBe(0)
  expect(stage.world.counters('hall').activeSessions).toBe(1)
})

test('what a removed stream has listed can be fetched for a while; then nothing of it is left', async () => {
  await using stage = await start({ lobby: kvs('lobby'), yard: kvs('yard') })
  const { world } = stage
  await stage.pass(5_000)
  const segment = await newestSegment(stage, 'yard')
  expect(await metricsOf(stage)).toContain('yard')
  await reload(stage, { lobby: kvs('lobby') })
  expect(await statusOf(stage, '/hls/yard/video.m3u8')).toBe(404)
  expect(await statusOf(stage, segment)).toBe(200)
  await stage.pass(40_000)
  expect(world.counters('yard').activeSessions).toBe(0)
  expect(await statusOf(stage, segment)).toBe(404)
  expect(await metricsOf(stage)).not.toContain('yard')
})

test('a stream that is removed and put back goes on', async () => {
  await using stage = await start({ lobby: kvs('lobby') })
  await stage.pass(15_000)
  stage.watching = false
  await stage.pass(2_000)
  await reload(stage, { yard: kvs('yard') })
  await stage.pass(10_000)
  expect(await statusOf(stage, '/hls/lobby/master.m3u8')).toBe(404)
  await reload(stage, { lobby: kvs('lobby') })
  stage.watching = true
  await stage.pass(15_000)
  expect(await stage.verdict()).toMatchObject({ faults: [] })
})

test('streams by pattern follow their pattern, and those that are configured by name are the same', async () => {
  const pattern = (more = {}) => ({
    dynamicStreams: [{ match: '^(lobby|hall)$', kvs: { streamName: '{name}-camera' }, ...more }],
  })
  await using stage = await start({ yard: kvs('yard') }, pattern())
  await stage.pass(10_000)
  expect(await reload(stage, { yard: kvs('yard') }, pattern({ window: 8 }))).toMatchObject({
    streams: { changed: ['lobby'], unchanged: 1 },
    applied: ['streams', 'dynamicStreams'],
  })
  await stage.pass(10_000)
  // By name now, and by pattern again.
  const byName = { yard: kvs('yard'), lobby: { ...kvs('lobby'), window: 8 } }
  expect(await reload(stage, byName, pattern({ window: 8 }))).toMatchObject({
    streams: { added: [], removed: [], unchanged: 2 },
  })
  expect(await dynamicOnes(stage)).toEqual([])
  await stage.pass(10_000)
  await reload(stage, { yard: kvs('yard') }, pattern({ window: 8 }))
  expect(await dynamicOnes(stage)).toEqual(['lobby'])
  await stage.pass(10_000)
  expect(await stage.verdict()).toMatchObject({ faults: [], discontinuities: 0, missed: 0 })
  expect(opened(stage, 'lobby')).toBe(1)

  expect(await reload(stage, { yard: kvs('yard') })).toMatchObject({
    streams: { removed: ['lobby'], unchanged: 1 },
  })
  stage.watching = false
  expect(await statusOf(stage, '/hls/lobby/master.m3u8')).toBe(404)
  expect(await statusOf(stage, '/hls/hall/master.m3u8')).toBe(404)
})

test('who may watch is who the new configuration lets in, from the next request on', async () => {
  const auth = (secret: string) => ({ auth: { mode: 'cdn-secret', secrets: [secret] } })
  await using stage = await start({ yard: kvs('yard') })
  stage.watching = false
  const ways = async (): Promise<readonly number[]> =>
    Promise.all(
      [{}, { 'X-Cdn-Secret': 'old' }, { 'X-Cdn-Secret': 'new' }].map((headers) =>
        statusOf(stage, '/hls/yard/master.m3u8', headers),
      ),
    )
  expect(await ways()).toEqual([200, 200, 200])
  expect(await reload(stage, { yard: kvs('yard') }, auth('old'))).toMatchObject({
    applied: ['auth'],
  })
  expect(await ways()).toEqual([401, 200, 401])
  await reload(stage, { yard: kvs('yard') }, auth('new'))
  expect(await ways()).toEqual([401, 401, 200])
  await reload(stage, { yard: kvs('yard') })
  expect(await ways()).toEqual([200, 200, 200])
})

test('what needs a restart is named, each time, and the rest is applied', async () => {
  await using stage = await start({ lobby: kvs('lobby') })
  const more = { server: { port: 1 }, cache: { maxBytes: '64MiB' }, limits: { running: 1 } }
  const report = { applied: ['limits'], needsRestart: ['server.port', 'cache.maxBytes'] }
  expect(await reload(stage, { lobby: kvs('lobby') }, more)).toMatchObject(report)
  expect(await reload(stage, { lobby: kvs('lobby') }, more)).toMatchObject({
    ...report,
    applied: [],
  })
  await stage.pass(5_000)
  expect(await reload(stage, { lobby: kvs('lobby'), yard: kvs('yard') }, more)).toMatchObject({
    streams: { added: ['yard'] },
  })
  // As many run as may.
  expect(await statusOf(stage, '/hls/yard/master.m3u8')).toBe(503)
})

test('a faulty configuration changes nothing, and is told with all its faults', async () => {
  await using stage = await start({ lobby: kvs('lobby') })
  const { clock, world } = stage
  await stage.pass(5_000)
  const failed = during(
    clock,
    world.reload({
      config: { streams: { lobby: { ...kvs('lobby'), window: 'six' } }, cdn: { x: 1 } },
    }),
  )
  await expect(failed).rejects.toThrow('The configuration has 2 faults; nothing was changed.')
  const answer = await during(
    clock,
    ask(`${world.gateway.adminUrl}/api/v1/reload`, { method: 'POST' }),
  )
  expect(answer.status).toBe(422)
  expect(answer.headers['content-type']).toBe('application/problem+json')
  const problem = z.looseObject({ faults: z.array(z.looseObject({ key: z.string() })) })
  const { faults } = problem.parse(JSON.parse(String(answer.body)))
  expect(faults).toEqual([
    expect.objectContaining({ key: 'cdn.x' }),
    {
      file: 'world',
      line: 1,
      key: 'streams.lobby.window',
      expected: 'an integer from 1 to 1000',
      got: '"six"',
    },
  ])
  await stage.pass(10_000)
  expect(await stage.verdict()).toMatchObject({ faults: [], discontinuities: 0 })
  expect(world.lines.filter(({ event }) => event === 'configuration fault')).toHaveLength(4)
})

async function metricsOf({ clock, world }: Stage): Promise<string> {
  return String((await during(clock, ask(`${world.gateway.adminUrl}/metrics`))).body)
}

async function newestSegment({ clock, world }: Stage, stream: string): Promise<string> {
  const base = `/hls/${stream}/`
  await during(clock, ask(world.watchUrl(stream)))
  const list = await during(clock, ask(`${world.gateway.publicUrl}${base}video.m3u8`))
  const [uri] =
    String(list.body)
      .match(/^video\/.*\.m4s$/gm)
      ?.slice(-1) ?? []
  if (uri === undefined) throw new Error('nothing is listed')
  return base + uri
}

async function dynamicOnes({ clock, world }: Stage): Promise<readonly string[]> {
  const streams = await during(clock, world.admin.streams())
  return streams.flatMap(({ name, ...status }) => (status['dynamic'] === true ? [name] : []))
}
