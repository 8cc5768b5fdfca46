import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { ask } from '../support/raw-http.ts'
import { hasTool } from '../support/tools.ts'
import { startNginx } from './support/caches.ts'

test.skipIf(!hasTool('nginx'))(
  'while no gateway answers, nginx gives the last list, but not below a signed path that has expired',
  async () => {
    const dir = await mkdtemp(join(tmpdir(), 'kvs-expired-'))
    onTestFinished(() => rm(dir, { recursive: true, force: true }))
    // Whatever the path, because a real gateway would give no list that nginx could keep below one that has expired.
    const gateway = createServer((_request, response) => {
      response.setHeader('Cache-Control', 'public, max-age=1, stale-if-error=600')
      response.end('#EXTM3U\n')
    })
    onTestFinished(() => void gateway.close())
    await once(gateway.listen(0, '127.0.0.1'), 'listening')
    const { port } = gateway.address() as AddressInfo
    const cache = await startNginx({ dir, originPort: port })
    onTestFinished(() => cache.stop())

    const nowS = Math.floor(Date.now() / 1000)
    const until = [nowS - 1, nowS - 2, nowS - 10, nowS - 86_400, 1_600_000_000]
    const valid = [nowS + 3_600, nowS + 86_400, nowS + 31_536_000, 9_999_999_999]
    const statusOf = async (path: string): Promise<number> => (await ask(cache.url + path)).status
    const below = (times: readonly number[]): Promise<number[]> =>
      Promise.all(times.map((time) => statusOf(`/s/${time}.k1.Kg.mac/hls/lobby/video.m3u8`)))

    expect(await statusOf('/hls/lobby/video.m3u8')).toBe(200)
    expect(await below([...until, ...valid])).toEqual([...until, ...valid].map(() => 200))
    gateway.closeAllConnections()
    gateway.close()
    // What was given in this second is given until it ends.
    await expect
      .poll(() => below([...until, ...valid]))
      .toEqual([...until.map(() => 502), ...valid.map(() => 200)])
    expect(await statusOf('/hls/lobby/video.m3u8')).toBe(200)
  },
)
