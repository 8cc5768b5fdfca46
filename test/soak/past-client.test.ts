import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import type { Incident } from '../proof/viewer.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { during } from '../support/pace.ts'
import { ByteLedger } from './byte-ledger.ts'
import { DvrViewer } from './dvr-viewer.ts'
import { PastClient } from './past-client.ts'

type Reply = readonly [status: number, body: string, headers?: Readonly<Record<string, string>>]

const stop = new AbortController()
const clock = new ManualClock()
let server: Server | undefined
let incidents: Incident[] = []

afterEach(() => {
  server?.closeAllConnections()
  server?.close()
  incidents = []
})

/** A client of a server that answers as told, by how often it was asked for the same. */
async function start(answer: (path: string, nth: number) => Reply): Promise<[PastClient, string]> {
  const asked = new Map<string, number>()
  server = createServer((request, response) => {
    const path = request.url ?? ''
    const nth = asked.get(path) ?? 0
    asked.set(path, nth + 1)
    const [status, body, headers] = answer(path, nth)
    response.writeHead(status, headers).end(body)
  })
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve))
  const client = new PastClient({
    stream: 'lobby',
    clock,
    random: () => 0,
    signal: stop.signal,
    ledger: new ByteLedger(),
    onIncident: (incident) => incidents.push(incident),
  })
  return [client, `http://127.0.0.1:${(server.address() as AddressInfo).port}/`]
}

const problem = (code: string): string => JSON.stringify({ code, detail: 'Nothing.' })
const kinds = (): string[] => incidents.map(({ kind }) => kind)

test('what KVS refuses for a moment is asked for again, and told', async () => {
  const down = problem('upstream_unavailable')
  const [client, url] = await start((_path, nth) => (nth < 2 ? [502, down] : [200, 'media']))
  expect(String((await during(clock, client.get(new URL(url))))?.body)).toBe('media')
  expect(kinds()).toEqual(['refused', 'refused'])
})

test('what stays refused is given up, and what must not be answered is no excuse to ask again', async () => {
  const [client, url] = await start((path) => [path === '/gone' ? 404 : 504, problem('x')])
  expect(await during(clock, client.get(new URL(url)))).toBeUndefined()
  expect(kinds().at(-1)).toBe('given-up')
  incidents = []
  expect(await during(clock, client.get(new URL('gone', url)))).toBeUndefined()
  expect(kinds()).toEqual(['http-404'])
})

test('a wait that is asked for is no incident', async () => {
  const [client, url] = await start((_path, nth) =>
    nth === 0 ? [503, problem('overloaded'), { 'retry-after': '2' }] : [200, ''],
  )
  expect((await during(clock, client.get(new URL(url))))?.status).toBe(200)
  expect([kinds(), client.seen]).toEqual([[], { waits: 1 }])
})

test('a range without a recording is told with its times', async () => {
  const [client, url] = await start(() => [404, problem('no_recording')])
  const span = { startMs: 5_000, endMs: 9_000 }
  await during(clock, client.get(new URL(url), span))
  expect(incidents).toMatchObject([{ kind: 'no-recording', atMs: 5_000, lastedMs: 4_000 }])
})

test('a name has the same bytes in all lists', async () => {
  const [client, url] = await start((path) => [200, path.startsWith('/b') ? 'other' : 'same'])
  for (const path of ['a/video/1.m4s', 'c/video/1.m4s', 'a/audio/1.m4s', 'b/video/1.m4s']) {
    await during(clock, client.media(new URL(path, url)))
  }
  expect(kinds()).toEqual(['bytes-changed'])
})

test('delta updates that make another list than the whole one are found', async () => {
  const head = '#EXTM3U\n#EXT-X-VERSION:9\n#EXT-X-TARGETDURATION:1\n#EXT-X-MEDIA-SEQUENCE:0\n'
  const media = (name: string): string => `#EXTINF:1,\nvideo/${name}.m4s\n`
  const gap = (name: string): string => `#EXT-X-GAP\n${media(name)}`
  const multivariant =
    '#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1,CODECS="avc1.64001f"\ndvr-1/video.m3u8\n'
  const [client, url] = await start((path, nth) => {
    if (path === '/dvr.m3u8') return [200, multivariant]
    // The whole list takes back what it said at first, and the delta updates do not know.
    const tail = nth === 0 ? gap('c') : gap('d')
    return path.includes('_HLS_skip')
      ? [200, `${head}#EXT-X-SKIP:SKIPPED-SEGMENTS=1\n${gap('c')}`]
      : [200, head + gap('a') + tail]
  })
  const viewer = new DvrViewer(client, new URL('dvr.m3u8', url), true)
  const watching = viewer.watch()
  await clock.run(10_000, { stepMs: 500, realMsPerStep: 10 })
  stop.abort()
  await watching
  expect(kinds()).toContain('delta-differs')
})
