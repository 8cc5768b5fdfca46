import { afterEach, beforeEach, expect, test } from 'vitest'
import { ManualClock } from '../support/manual-clock.ts'
import { PlayBuffer } from './play-buffer.ts'
import { ScriptedOrigin, type Tampering } from './scripted-origin.ts'
import { type Incident, Viewer } from './viewer.ts'

let origin: ScriptedOrigin
let stop: AbortController

beforeEach(async () => {
  origin = await ScriptedOrigin.start()
  stop = new AbortController()
})

afterEach(async () => {
  stop.abort()
  await origin.close()
})

/** A viewer over `seconds` of clock time, and a camera that sends while `sends` says so. */
async function watch(
  seconds: number,
  sends: (second: number) => boolean = () => true,
): Promise<{ viewer: Viewer; kinds: string[] }> {
  const clock = new ManualClock()
  const incidents: Incident[] = []
  const viewer = new Viewer(origin.url, {
    clock,
    signal: stop.signal,
    onIncident: (incident) => incidents.push(incident),
  })
  const watching = viewer.watch()
  for (let elapsed = 0; elapsed < seconds; elapsed += 2) {
    await clock.run(2_000, { stepMs: 100, realMsPerStep: 3 })
    if (sends(elapsed)) origin.advance()
  }
  stop.abort()
  await watching
  return { viewer, kinds: [...new Set(incidents.map(({ kind }) => kind))] }
}

const onSegments = (answer: NonNullable<Tampering['answer']>): void => {
  origin.tampering.answer = (plain, path, request) =>
    /10[89]\.m4s$/.test(path) ? answer(plain, path, request) : plain
}

test('a true origin gives nothing to complain about', async () => {
  const { viewer, kinds } = await watch(20)

  expect(kinds).toEqual([])
  // Two renditions: five segments to begin with, and one every two seconds.
  expect(viewer.counts.segments).toBeGreaterThanOrEqual(24)
  expect(viewer.counts.bytes).toBeGreaterThan(0)
})

test('a segment that answers 503', async () => {
  onSegments((answer) => ({ ...answer, status: 503 }))

  expect((await watch(10)).kinds).toContain('http-503')
})

test('a segment that breaks off', async () => {
  onSegments((answer) => {
    const headers = { ...answer.headers, 'content-length': String(answer.body.length) }
    return { ...answer, headers, body: answer.body.subarray(0, 10) }
  })
  const { kinds } = await watch(10)

  expect(kinds).toContain('failed')
})

test('a playlist that cannot be read', async () => {
  origin.tampering.playlist = () => '<html></html>'

  expect((await watch(4)).kinds).toEqual(['playlist'])
})

test('a camera that stops', async () => {
  expect((await watch(30, (second) => second < 4)).kinds).toEqual(['stall'])
})

test('media that the camera lost is not the server’s delay', async () => {
  // Twice the camera is away for six seconds; more than one of them no buffer of ten seconds survives.
  origin.gapMs = 6_000
  const away = (second: number): boolean => [10, 12, 14, 26, 28, 30].includes(second)
  for (const msn of [110, 115]) origin.gaps.add(msn)

  expect((await watch(50, (second) => !away(second))).kinds).toEqual([])
})

test('a list that slides away from under the viewer', async () => {
  const advance = origin.advance.bind(origin)
  origin.advance = () => advance(12)

  expect((await watch(10)).kinds).toContain('fell-behind')
})

test('a buffer knows when it ran dry, and fills up before it goes on', () => {
  const buffer = new PlayBuffer()
  expect(buffer.add(2_000, 9_000, 4_000)).toBeUndefined()
  expect(buffer.emptyAtMs).toBeUndefined()
  expect(buffer.add(2_000, 10_000, 4_000)).toBeUndefined()
  expect(buffer.emptyAtMs).toBe(14_000)
  expect(buffer.stall(14_000)).toBeUndefined()
  expect(buffer.stall(15_000)).toEqual({ atMs: 14_000, lastedMs: 1_000 })

  expect(buffer.add(2_000, 15_500, 4_000)).toBeUndefined()
  expect(buffer.add(2_000, 17_000, 4_000)).toEqual({ atMs: 14_000, lastedMs: 3_000 })
  expect(buffer.emptyAtMs).toBe(21_000)
})

test('a hole is passed over while playing, and means nothing while nothing is shown', () => {
  const buffer = new PlayBuffer()
  buffer.passHole(9_000, 9_000)
  buffer.add(2_000, 10_000, 2_000)
  buffer.passHole(3_000, 11_000)
  expect(buffer.emptyAtMs).toBe(15_000)
  buffer.passHole(3_000, 16_000)
  expect(buffer.stall(17_000)).toEqual({ atMs: 15_000, lastedMs: 2_000 })
})
