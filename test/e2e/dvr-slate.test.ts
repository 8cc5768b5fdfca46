import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { runTool } from '../proof/ffmpeg.ts'
import { during, passUntil } from '../support/pace.ts'
import { ask } from '../support/raw-http.ts'
import { cameraOf } from '../support/world.ts'
import { get, offers } from './support/listing.ts'
import { restart, type Stage, startStage } from './support/stage.ts'
import { stateDir } from './support/state-dir.ts'

const dir = stateDir()

const CACHE = { maxBytes: '1MiB', dirMaxBytes: '1MiB' } as const

test.each([
  ['the built-in one', undefined],
  ['an operator’s film', 'slate.mp4'],
])('G6: slates in a DVR list are there when memory and disk are not: %s', async (_what, film) => {
  const slateFile = film === undefined ? {} : { slateFile: await makeFilm(join(dir(), film)) }
  await using stage = await startStage({
    cameras: { lobby: { clip: 'av-360p' } },
    defaults: { dvr: '10m', activation: 'always', onSignalLoss: 'slate', ...slateFile },
    cache: { ...CACHE, dir: dir() },
  })
  await stage.pass(20_000)
  stage.world.control.stopProducer(cameraOf())
  await passUntil(stage.clock, async () => (await status(stage)).state === 'slate', 20_000)
  const slates = await collect(stage, 40_000)
  expect(slates.size).toBeGreaterThan(2 * 30)
  stage.world.control.resumeProducer(cameraOf())
  await stage.pass(30_000)

  expect(await missesAmong(stage, slates)).toBeGreaterThan(slates.size / 2)
  await restart(stage, { meanwhile: () => rm(join(dir(), 'fragments'), { recursive: true }) })
  await stage.pass(5_000)
  expect(await missesAmong(stage, slates)).toBe(slates.size)
})

test('another film than it was is no part of the past', async () => {
  const slateFile = await makeFilm(join(dir(), 'slate.mp4'))
  const defaults = { dvr: '10m', activation: 'always', onSignalLoss: 'slate' }
  await using stage = await startStage({
    cameras: { lobby: { clip: 'av-360p' } },
    defaults: { ...defaults, slateFile },
    cache: { ...CACHE, dir: dir() },
  })
  await stage.pass(20_000)
  stage.world.control.stopProducer(cameraOf())
  await passUntil(stage.clock, async () => (await status(stage)).state === 'slate', 20_000)
  // The list still begins with the camera's.
  const url = [...(await collect(stage, 10_000)).keys()].at(-1) ?? ''
  stage.world.control.resumeProducer(cameraOf())
  await stage.pass(30_000)
  const meanwhile = () => rm(join(dir(), 'fragments'), { recursive: true })
  await restart(stage, { meanwhile, defaults })
  await stage.pass(5_000)
  const { status: code, body } = await during(stage.clock, ask(url))
  expect([code, JSON.parse(String(body))]).toMatchObject([404, { code: 'segment_gone' }])
})

const status = (stage: Stage) => during(stage.clock, stage.world.admin.stream('lobby'))

/** All that is listed while the slate is shown, by its address: for so long, in milliseconds. */
async function collect(stage: Stage, ms: number): Promise<ReadonlyMap<string, Buffer>> {
  await stage.pass(10_000)
  const seen = new Map<string, Buffer>()
  for (let passedMs = 0; passedMs < ms; passedMs += 2_000) {
    for (const { url } of await during(stage.clock, offers(stage.world.watchUrl()))) {
      if (!seen.has(url)) seen.set(url, (await during(stage.clock, get(url))).body)
    }
    await stage.pass(2_000)
  }
  return seen
}

/** How many of them were not in memory. All have to be what they were. */
async function missesAmong(stage: Stage, known: ReadonlyMap<string, Buffer>): Promise<number> {
  let misses = 0
  for (const [url, bytes] of known) {
    const { body, headers } = await during(stage.clock, get(url))
    expect(body.equals(bytes)).toBe(true)
    if (headers['cache-status']?.includes('miss') === true) misses += 1
  }
  return misses
}

async function makeFilm(file: string): Promise<string> {
  const source = ['-f', 'lavfi', '-i', 'testsrc2=s=320x180:r=25:d=7.3']
  const sound = ['-f', 'lavfi', '-i', 'sine=frequency=660:sample_rate=44100:duration=7.3']
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
  const args = ['-v', 'error', ...source, ...sound, ...video, '-c:a', 'aac', file]
  const { code, stderr } = await runTool('ffmpeg', args)
  expect([code, stderr]).toEqual([0, []])
  return file
}
