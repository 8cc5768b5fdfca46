import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { seededRandom } from '../proof/seeded-random.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { Excuses } from './excuses.ts'
import { WildOrigin } from './wild-origin.ts'

const LIST = `#EXTM3U
#EXT-X-MAP:URI="video/init-1.mp4"
#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:00.000Z
#EXTINF:2.000,
video/1-a.m4s
`

test('shows another origin, has all its quirks by chance, and gives what it had once they are over', async () => {
  const shown = createServer((request, response) => {
    response.end(request.url?.endsWith('.m3u8') === true ? LIST : 'media')
  })
  await new Promise<void>((resolve) => {
    shown.listen(0, '127.0.0.1', resolve)
  })
  const clock = new ManualClock()
  const log: string[] = []
  const origin = await WildOrigin.start({
    clock,
    random: seededRandom(3),
    excuses: new Excuses(),
    log: (line) => log.push(line),
  })
  const end = new AbortController()
  try {
    origin.show(new URL(`http://127.0.0.1:${(shown.address() as AddressInfo).port}/hls/x/m.m3u8`))
    const get = (path: string): Promise<string> =>
      fetch(new URL(path, origin.url)).then((answer) => answer.text())
    expect(await get('video.m3u8')).toBe(LIST)
    expect(await get('token-7/video/1-a.m4s')).toBe('media')
    const running = origin.run('wild', end.signal)
    for (let i = 0; i < 3_000; i += 1) {
      clock.advance(1_000)
      await Promise.resolve()
      await Promise.resolve()
    }
    expect(Object.keys(origin.counts).length).toBe(12)
    expect(log[0]).toMatch(/^wild: origin: /)
    end.abort()
    await running
  } finally {
    await origin.close()
    shown.close()
  }
})
