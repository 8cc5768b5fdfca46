import { expect, test } from 'vitest'
import { decodeWithoutWarning } from '../proof/decode.ts'
import { startPast } from './support/past.ts'

test('a clip of the past plays from its start to its end, sound and picture alike', async () => {
  await using stage = await startPast({ cameras: { lobby: { clip: 'av-360p' } } })
  const startMs = stage.clock.now() - 600_000
  const range = `start=${startMs / 1000}&end=${startMs / 1000 + 20}`
  const clip = await stage.ask(`${stage.world.gateway.publicUrl}/clip/lobby.mp4?${range}`)
  expect(clip.status, String(clip.body.subarray(0, 300))).toBe(200)
  const { warnings, streams } = await decodeWithoutWarning(clip.body)
  expect(warnings).toEqual([])
  expect(streams.map(({ type, gaps }) => [type, gaps])).toEqual([
    ['video', []],
    ['audio', []],
  ])
  for (const { startS, endS } of streams) expect(endS - startS).toBeCloseTo(20, 0)
  expect(stage.world.counters().quotaViolations).toEqual({})

  // What it is made of is there for those who play the range, and the other way round.
  const { calls } = stage.world.counters()
  const again = await stage.ask(`${stage.world.gateway.publicUrl}/clip/lobby.mp4?${range}`)
  expect(again.body.equals(clip.body)).toBe(true)
  expect(stage.world.counters().calls).toEqual(calls)
})

test('no clip of what was not recorded, or is too long', async () => {
  await using stage = await startPast({ cameras: { lobby: { clip: 'av-360p' } } })
  const nowS = stage.clock.now() / 1000
  const base = `${stage.world.gateway.publicUrl}/clip/lobby.mp4`
  const old = await stage.ask(`${base}?start=${nowS - 30 * 86_400}&end=${nowS - 30 * 86_400 + 60}`)
  expect(old.status).toBe(404)
  expect(JSON.parse(String(old.body))).toMatchObject({ code: 'no_recording' })
  const long = await stage.ask(`${base}?start=${nowS - 8_000}&end=${nowS - 60}`)
  expect(long.status).toBe(400)
})

test('G8: a clip of what the DVR holds costs no session', async () => {
  await using stage = await startPast({
    cameras: { lobby: { clip: 'av-360p' } },
    defaults: { dvr: '10m', activation: 'always' },
  })
  await stage.pass(60_000)
  const opened = stage.world.counters().calls['GetHLSStreamingSessionURL']
  const endS = Math.floor(stage.clock.now() / 1000) - 5
  const base = `${stage.world.gateway.publicUrl}/clip/lobby.mp4`
  const clip = await stage.ask(`${base}?start=${endS - 30}&end=${endS}`)
  const { warnings, streams } = await decodeWithoutWarning(clip.body)
  expect(warnings).toEqual([])
  for (const { gaps, startS, endS: lastS } of streams) {
    expect(gaps).toEqual([])
    expect(lastS - startS).toBeCloseTo(30, 0)
  }
  expect(stage.world.counters().calls['GetHLSStreamingSessionURL']).toEqual(opened)
})
