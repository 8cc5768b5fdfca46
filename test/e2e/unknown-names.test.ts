import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { seededRandom } from '../proof/seeded-random.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { during, pass } from '../support/pace.ts'
import { ask, sendRaw } from '../support/raw-http.ts'
import { startWorld, type World } from '../support/world.ts'
import { usedBytes } from './support/heap.ts'
import { get, offers } from './support/listing.ts'

let clock: ManualClock
let world: World
let port: number

beforeAll(async () => {
  clock = new ManualClock()
  world = await startWorld({ clock, cameras: { lobby: {}, yard: {} } })
  port = Number(new URL(world.gateway.publicUrl).port)
  await during(clock, get(world.watchUrl()))
  await during(clock, get(`${world.gateway.adminUrl}/metrics`))
})
afterAll(() => during(clock, world.close()))

/** The names of all time series, with their labels and without their values. */
async function series(): Promise<readonly string[]> {
  const { body } = await during(clock, get(`${world.gateway.adminUrl}/metrics`))
  const lines = String(body)
    .split('\n')
    .filter((line) => line.startsWith('kvs_gateway_'))
  return lines.map((line) => line.slice(0, line.lastIndexOf(' '))).sort()
}

const upstream = (): unknown => world.control.counters()

/** A request line as it is, which no client library would send. */
async function raw(
  target: string,
  extra = '',
): Promise<{ status: number; body: string; head: string }> {
  const text = `GET ${target} HTTP/1.1\r\nHost: gateway\r\n${extra}Connection: close\r\n\r\n`
  const answer = await during(clock, sendRaw(port, text))
  const [head = '', ...body] = answer.split('\r\n\r\n')
  return { status: Number(head.split(' ')[1]), head, body: body.join('\r\n\r\n') }
}

const problem = z.object({ status: z.number(), code: z.string(), requestId: z.string() })

const ODD_TARGETS: readonly (readonly [string, string])[] = [
  ['a name nobody configured', '/hls/nobody/master.m3u8'],
  ['the upstream name of a camera', '/hls/lobby-camera/master.m3u8'],
  ['another case', '/hls/Lobby/master.m3u8'],
  ['a name of Object.prototype', '/hls/constructor/master.m3u8'],
  ['__proto__', '/hls/__proto__/master.m3u8'],
  ['no name', '/hls//master.m3u8'],
  ['a dot', '/hls/./master.m3u8'],
  ['two dots', '/hls/../master.m3u8'],
  ['two dots, encoded', '/hls/%2e%2e/master.m3u8'],
  ['a slash, encoded', '/hls/lobby%2Fmaster.m3u8'],
  ['an encoded way out', '/hls/lobby/..%2f..%2fetc%2fpasswd'],
  ['a backslash', '/hls/lobby\\..\\master.m3u8'],
  ['a NUL', '/hls/lobby%00/master.m3u8'],
  ['line breaks, encoded', '/hls/lobby%0d%0aX-Evil:%201/master.m3u8'],
  ['a broken escape', '/hls/%zz/master.m3u8'],
  ['half an escape', '/hls/lobby/master.m3u8%'],
  ['overlong UTF-8', '/hls/%c0%ae%c0%ae/master.m3u8'],
  ['a long name', `/hls/${'x'.repeat(300)}/master.m3u8`],
  ['a very long name', `/hls/${'x'.repeat(5_000)}/master.m3u8`],
  ['a name with markup', '/hls/%3Cscript%3E/master.m3u8'],
  ['a semicolon', '/hls/lobby;jsessionid=1/master.m3u8'],
  ['a file that is none', '/hls/lobby/secret.m3u8'],
  ['a rendition that is none', '/hls/lobby/video2.m3u8'],
  ['a segment of another stream', '/hls/yard/video/1-x.m4s'],
  ['a segment number beyond all', `/hls/lobby/video/${'9'.repeat(16)}-x.m4s`],
  ['a negative segment number', '/hls/lobby/video/-1-x.m4s'],
  ['a segment number that is none', '/hls/lobby/video/NaN-x.m4s'],
  ['an init that is none', '/hls/lobby/video/init-x.mp4'],
  ['a start', '/hls/lobby/master.m3u8?start=0'],
  ['an absurd start', '/hls/lobby/master.m3u8?start=99999999999999999999&end=-1'],
  ['two starts', '/hls/lobby/master.m3u8?start=1&start=2'],
  ['the pages’ files', '/web/x/../../package.json'],
  ['the pages’ files, encoded', '/web/x/%2e%2e%2f%2e%2e%2fpackage.json'],
  ['a clip of nobody', '/clip/nobody.mp4?start=0&end=1'],
  ['another host in the target', 'http://evil.example/hls/nobody/master.m3u8'],
  ['another scheme in the target', 'gopher://evil.example/hls/lobby/master.m3u8'],
  ['two slashes', '//evil.example/hls/lobby/master.m3u8'],
  ['the admin API', '/api/v1/streams'],
  ['the metrics', '/metrics'],
  ['the emulator’s control', '/control/counters'],
  ['the upstream’s own path', '/hls/v1/getHLSMasterPlaylist.m3u8?SessionToken=x'],
]

describe('G17: an odd request is refused as a problem document and leaves no trace', () => {
  test.each(ODD_TARGETS)('%s', async (_what, target) => {
    const [seriesBefore, upstreamBefore] = [await series(), upstream()]
    const { status, head, body } = await raw(target)
    expect(status).toBeGreaterThanOrEqual(400)
    expect(status).toBeLessThan(500)
    expect(head.toLowerCase()).toContain('content-type: application/problem+json')
    expect(problem.parse(JSON.parse(body)).status).toBe(status)
    expect(head).not.toMatch(/x-evil/i)
    expect(body).not.toMatch(/<script>|passwd|\n\s+at /)
    expect(withoutRefusals(await series())).toEqual(withoutRefusals(seriesBefore))
    expect(upstream()).toEqual(upstreamBefore)
  })

  /** What configured streams refuse is counted by class and status, of which there are few. */
  function withoutRefusals(all: readonly string[]): readonly string[] {
    const refusal = /_downstream_\w+\{stream="(lobby|yard)",class="\w+"(,code="4\d\d")?\}/
    return all.filter((name) => !refusal.test(name))
  }
})

test('G17: ten thousand names that nobody configured leave neither series nor memory behind', async () => {
  const random = seededRandom(7)
  const name = (): string => `n${Math.floor(random() * 2 ** 40).toString(36)}`
  const paths = [
    '/hls/$/master.m3u8',
    '/hls/$/video.m3u8',
    '/hls/$/video/1-x.m4s',
    '/play/$',
    '/wall?streams=$',
    '/web/feed?streams=$',
    '/dash/$/manifest.mpd',
    '/$',
  ]
  const askAll = async (rounds: number): Promise<void> => {
    for (let round = 0; round < rounds; round += 1) {
      const targets = paths.map((path) => path.replace('$', name()))
      const pipelined = targets
        .map((target) => `GET ${target} HTTP/1.1\r\nHost: g\r\n`)
        .join('\r\n')
      await sendRaw(port, `${pipelined}Connection: close\r\n\r\n`)
    }
  }
  await during(clock, askAll(50))
  const [seriesBefore, upstreamBefore] = [await series(), upstream()]
  const before = await usedBytes()
  await askAll(1_250)
  expect((await usedBytes()) - before).toBeLessThan(2 ** 20)
  expect(await series()).toEqual(seriesBefore)
  expect(upstream()).toEqual(upstreamBefore)
})

test('G17: no header of a viewer chooses where we ask', async () => {
  const before = world.counters()
  const headers = {
    host: 'evil.example',
    forwarded: 'host=evil.example',
    'x-forwarded-host': 'evil.example',
    'x-original-url': '/hls/yard/master.m3u8',
    'x-rewrite-url': '/hls/yard/master.m3u8',
    'x-request-id': 'chosen-by-the-viewer',
  }
  const answer = await during(clock, ask(world.watchUrl(), { headers }))
  expect(answer.status).toBe(200)
  expect(JSON.stringify(answer.headers) + String(answer.body)).not.toMatch(
    /evil|chosen-by-the-viewer/,
  )
  expect(world.counters().sessionsOpened).toBe(before.sessionsOpened)
  expect(world.counters('yard').calls).toEqual({})
})

test('a target in absolute form is that of its path', async () => {
  const { status, body } = await raw(`http://evil.example/hls/lobby/master.m3u8`)
  expect([status, body.includes('#EXTM3U')]).toEqual([200, true])
})

test('unknown query parameters neither change an answer nor start anything', async () => {
  const plain = await during(clock, get(world.watchUrl()))
  const odd = await during(
    clock,
    get(`${world.watchUrl()}?CMCD=sid%3D%22x%22&_x=%00&SessionToken=y`),
  )
  expect(odd.body.equals(plain.body)).toBe(true)
  for (const { url } of await during(clock, offers(world.watchUrl()))) {
    expect((await during(clock, ask(`${url}?token=1`))).status).toBe(200)
  }
  await pass(clock, 1_000)
})
