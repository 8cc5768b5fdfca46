import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, test } from 'vitest'
import type { CameraConfigInput } from '../../src/emulator/config.ts'
import { PICTURES_FOLDER } from '../../src/slate/pictures.ts'
import { runTool } from '../proof/ffmpeg.ts'
import { during, passUntil } from '../support/pace.ts'
import { ask } from '../support/raw-http.ts'
import { cameraOf } from '../support/world.ts'
import { usedBytes } from './support/heap.ts'
import { get, newestMsn, offers } from './support/listing.ts'
import { discontinuities, restart, type Stage, startStage } from './support/stage.ts'
import { stateDir } from './support/state-dir.ts'

const CAMERA = cameraOf('lobby')
const SLATE = { activation: 'always', signalLossAfter: '5s', onSignalLoss: 'slate' } as const
const dir = stateDir()

let stage: Stage

async function start(
  camera: CameraConfigInput = {},
  defaults: Readonly<Record<string, unknown>> = {},
  cache: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  stage = await startStage({
    cameras: { lobby: camera },
    defaults: { ...SLATE, ...defaults },
    cache,
  })
  await stage.pass(20_000)
}
afterEach(async () => {
  await stage[Symbol.asyncDispose]()
})

const status = () => during(stage.clock, stage.world.admin.stream('lobby'))
const newest = () => during(stage.clock, newestMsn(stage.world.watchUrl()))

async function turns(state: string, withinMs: number): Promise<void> {
  await passUntil(stage.clock, async () => (await status()).state === state, withinMs)
}

test.each([
  ['H.264 with sound', 'av-720p', ['video', 'audio'], 2_000],
  ['H.264 with sound, in fragments of one second', 'av-360p', ['video', 'audio'], 1_000],
  ['H.264 with sound, in fragments of any length', 'av-360p-irregular', ['video', 'audio'], 4_000],
  ['H.264 alone', 'video-only', ['video'], 2_000],
  ['sound alone', 'audio-only', ['audio'], 2_000],
  ['HEVC', 'hevc', ['video', 'audio'], 2_000],
] as const)(
  'G11: a slate fills the time while a camera is away that sends %s',
  async (_what, clip, renditions, fragmentMs) => {
    await start({ clip })
    stage.world.control.stopProducer(CAMERA)
    await turns('slate', 20_000)
    expect(await status()).toMatchObject({ source: 'slate' })
    await stage.pass(5_000)

    const before = await newest()
    const beganMs = stage.clock.now()
    await stage.pass(30_000)
    const metrics = String((await during(stage.clock, ask(metricsUrl()))).body)
    expect(metrics).toContain('stream_state{stream="lobby",state="slate"} 1')
    expect(metrics).toMatch(/slate_segments_total\{stream="lobby"\} [1-9]/)
    // As fast as time passes, whatever the length of a segment.
    const slateMs = await lastMs(renditions[0])
    expect(await status()).toMatchObject({ state: 'slate', reason: 'no_media' })
    const grownMs = ((await newest()) - before) * slateMs
    expect(Math.abs(grownMs - (stage.clock.now() - beganMs))).toBeLessThanOrEqual(2 * slateMs)

    stage.world.control.resumeProducer(CAMERA)
    const resumedMs = stage.clock.now()
    await turns('live', 3 * fragmentMs + 3_000)
    expect(stage.clock.now() - resumedMs).toBeLessThanOrEqual(3 * fragmentMs + 2_000)
    await stage.pass(10_000)

    expect(discontinuities(stage)).toEqual(['source', 'source'])
    const { faults, missed, decoded } = await stage.verdict()
    // Silence that follows sound looks as if nothing had changed; decoders know better.
    const seen = faults.filter(({ kind }) => clip !== 'audio-only' || !kind.startsWith('needless'))
    expect({ seen, missed }).toEqual({ seen: [], missed: 0 })
    expect(Object.keys(decoded).sort()).toEqual([...renditions].sort())
    for (const rendition of renditions) {
      expect(decoded[rendition]).toMatchObject({ warnings: [], runs: 3, gaps: [] })
    }
  },
)

test('G11: a restart while the slate is shown goes on with it, to the tick', async () => {
  await start({}, {}, { dir: dir() })
  stage.world.control.stopProducer(CAMERA)
  await turns('slate', 20_000)
  await stage.pass(20_000)
  await restart(stage, { awayMs: 8_000 })
  await stage.pass(3_000)
  expect(await status()).toMatchObject({ state: 'slate', source: 'slate' })
  await stage.pass(20_000)
  stage.world.control.resumeProducer(CAMERA)
  await turns('live', 10_000)
  await stage.pass(10_000)
  expect(discontinuities(stage)).toEqual(['source', 'source'])
  expect(await stage.verdict()).toMatchObject({ faults: [], missed: 0 })
})

test('a process that was stopped for long does not make up for all of it', async () => {
  await start()
  stage.world.control.stopProducer(CAMERA)
  await turns('slate', 20_000)
  await stage.pass(10_000)
  const before = await newest()
  stage.clock.advance(3_600_000)
  await stage.pass(10_000)
  expect((await newest()) - before).toBeLessThan(60)
  expect((await status()).state).toBe('slate')
  await stage.pass(20_000)
  expect(discontinuities(stage)).toEqual(['source', 'gap'])
  expect(stage.report().faults).toEqual([])
})

test('a camera that was never there has no slate, as nothing is known of its media', async () => {
  await start({ events: [{ event: { type: 'stop' } }] })
  await stage.pass(30_000)
  expect(await status()).toMatchObject({ state: 'offline', reason: 'no_media', source: null })
  expect((await during(stage.clock, ask(stage.world.watchUrl()))).status).toBe(503)
})

test('a camera whose stream is deleted has one all the same', async () => {
  await start()
  for (const operation of ['GetDataEndpoint', 'GetHLSStreamingSessionURL'] as const) {
    const message = 'The requested stream is not found or not active.'
    const type = 'ResourceNotFoundException'
    stage.world.control.addFault(CAMERA, { kind: 'status', status: 404, type, message, operation })
  }
  stage.world.control.revoke(CAMERA)
  await turns('slate', 10_000)
  expect((await status()).reason).toBe('upstream_stream_not_found')
})

test('an on-demand stream shows its slate to the first viewer after an idle time', async () => {
  await start({}, { activation: 'on-demand', idleTimeout: '10s' })
  stage.watching = false
  stage.world.control.stopProducer(CAMERA)
  await stage.pass(120_000)
  expect((await status()).state).toBe('idle')
  expect((await during(stage.clock, ask(stage.world.watchUrl()))).status).toBe(200)
  expect((await status()).state).toBe('slate')
  const list = await during(stage.clock, offers(stage.world.watchUrl()))
  expect(list.length).toBeGreaterThanOrEqual(6)
  for (const { url, initUrl } of list) {
    await during(stage.clock, get(url))
    await during(stage.clock, get(initUrl))
  }
  stage.watching = true
  stage.world.control.resumeProducer(CAMERA)
  await turns('live', 10_000)
  await stage.pass(5_000)
  expect(stage.report().faults).toEqual([])
})

test.each([
  ['with sound', ['-f', 'lavfi', '-i', 'sine=frequency=660:sample_rate=44100:duration=7.3']],
  ['without sound, to which silence is added', []],
] as const)('G11: an operator’s film %s is shown in a loop', async (_what, sound) => {
  const slateFile = join(dir(), 'slate.mp4')
  const picture = ['-f', 'lavfi', '-i', 'testsrc2=s=320x180:r=25:d=7.3']
  const video = [
    '-c:v',
    'libx264',
    '-preset',
    'ultrafast',
    '-g',
    '25',
    '-bf',
    '2',
    '-pix_fmt',
    'yuv420p',
  ]
  const { code, stderr } = await runTool('ffmpeg', [
    '-v',
    'error',
    ...picture,
    ...sound,
    ...video,
    '-c:a',
    'aac',
    slateFile,
  ])
  expect([code, stderr]).toEqual([0, []])
  await start({ clip: 'av-720p' }, { slateFile })
  stage.world.control.stopProducer(CAMERA)
  await turns('slate', 20_000)
  // More than two rounds.
  await stage.pass(16_000)
  stage.world.control.resumeProducer(CAMERA)
  await turns('live', 10_000)
  await stage.pass(8_000)
  expect(stage.world.lines.filter(({ event }) => event.includes('built-in'))).toEqual([])
  expect(discontinuities(stage)).toEqual(['source', 'source'])
  const { faults, decoded } = await stage.verdict()
  expect(faults).toEqual([])
  expect(decoded['video']).toMatchObject({ warnings: [], runs: 3, gaps: [] })
  expect(decoded['audio']).toMatchObject({ warnings: [], runs: 3, gaps: [] })
})

test('an operator’s film in another codec gives way to the built-in slate, and that is told', async () => {
  const slateFile = fileURLToPath(new URL('hevc-640x360.mp4', PICTURES_FOLDER))
  await start({}, { slateFile })
  stage.world.control.stopProducer(CAMERA)
  await turns('slate', 20_000)
  await stage.pass(5_000)
  const told = stage.world.lines.filter(({ event }) => event === 'built-in slate shown')
  expect(told).toHaveLength(1)
  const text = String((await during(stage.clock, get(stage.world.watchUrl()))).body)
  expect(text).toContain('CODECS="avc1.')
})

test('G10: a slate costs nothing upstream but the question whether the camera is back', async () => {
  await start()
  stage.world.control.stopProducer(CAMERA)
  await stage.pass(60_000)
  const { bytes: before } = stage.world.counters()
  await stage.pass(60_000)
  const { bytes: after } = stage.world.counters()
  expect(after['GetMP4MediaFragment']).toBe(before['GetMP4MediaFragment'])
})

test('G18: ten minutes of slate take no more memory than one', async () => {
  await start()
  stage.watching = false
  stage.world.control.stopProducer(CAMERA)
  await turns('slate', 20_000)
  await stage.pass(60_000)
  const [heapBefore, cacheBefore] = [await usedBytes(), await cacheBytes()]
  await stage.pass(600_000)
  expect((await status()).state).toBe('slate')
  expect(await cacheBytes()).toBeLessThanOrEqual(1.1 * cacheBefore)
  const lines = stage.world.lines as unknown[]
  lines.splice(0)
  // The segments alone would be 6 MiB.
  expect((await usedBytes()) - heapBefore).toBeLessThan(4 * 2 ** 20)
})

test('a node that is ready stays so while it shows a slate', async () => {
  await start()
  stage.world.control.stopProducer(CAMERA)
  await turns('slate', 20_000)
  const { status: code, body } = await during(
    stage.clock,
    ask(`${stage.world.gateway.adminUrl}/readyz`),
  )
  expect(code).toBe(200)
  expect(JSON.parse(String(body))).toMatchObject({ ready: true, slate: ['lobby'] })
})

test('G11: a backup comes before the slate, and the slate while both are away', async () => {
  stage = await startStage({
    cameras: {
      lobby: {},
      spare: { clip: 'av-360p', events: [{ event: { type: 'skew', ms: -130_000 } }] },
    },
    defaults: SLATE,
    config: {
      streams: {
        lobby: {
          kvs: { streamName: CAMERA },
          backup: { kvs: { streamName: cameraOf('spare') }, returnAfter: '20s' },
        },
      },
    },
  })
  await stage.pass(20_000)
  const { control } = stage.world
  control.stopProducer(CAMERA)
  await stage.pass(30_000)
  expect((await status()).source).toBe('backup')
  control.stopProducer(cameraOf('spare'))
  await turns('slate', 20_000)
  await stage.pass(20_000)
  control.resumeProducer(cameraOf('spare'))
  await turns('live', 10_000)
  expect((await status()).source).toBe('backup')
  control.resumeProducer(CAMERA)
  await stage.pass(40_000)
  expect((await status()).source).toBe('camera')
  expect(discontinuities(stage)).toEqual(['source', 'source', 'source', 'source'])
  expect((await stage.verdict()).faults).toEqual([])
})

const metricsUrl = (): string => `${stage.world.gateway.adminUrl}/metrics`

async function cacheBytes(): Promise<number> {
  const { body } = await during(stage.clock, ask(metricsUrl()))
  return Number(/^kvs_gateway_cache_bytes (\d+)$/m.exec(String(body))?.[1])
}

/** How long the newest segment of a rendition is. */
async function lastMs(rendition: string): Promise<number> {
  const url = new URL(`${rendition}.m3u8`, stage.world.watchUrl()).href
  const text = String((await during(stage.clock, get(url))).body)
  return Number([...text.matchAll(/#EXTINF:([\d.]+)/g)].at(-1)?.[1]) * 1_000
}
