import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { startPublicServer } from '../support/public-server.ts'
import { ask, sendRaw } from '../support/raw-http.ts'
import { hasTool } from '../support/tools.ts'
import { type Cache, startNginx, startVarnish } from './support/caches.ts'

/** Fields that make a request for the same URL another one. Neither cache refuses all of them itself. */
const HOSTILE: readonly (readonly [string, string])[] = [
  [
    'a head of 18 KB',
    Array.from({ length: 6 }, (_, i) => `X-${i}: ${'a'.repeat(3000)}`).join('\r\n'),
  ],
  ['a control character', 'X-A: \x01'],
  ['a range outside', 'Range: bytes=999999999-'],
  ['an odd coding', 'Accept-Encoding: gzip;q=0, \x7f;q=x'],
  ['tags without end', `If-None-Match: ${'"x",'.repeat(1500)}`],
  ['an expectation', 'Expect: coffee'],
]

/** Sends what may blind those who come after. */
async function attack(cache: Cache, path: string, fields: string): Promise<void> {
  for (const method of ['GET', 'HEAD', 'POST', 'PROPFIND']) {
    const head = `${method} ${path} HTTP/1.1\r\nHost: x\r\n${fields}\r\nConnection: close\r\n\r\n`
    await sendRaw(Number(new URL(cache.url).port), head)
  }
}

describe.each([
  ['nginx', startNginx],
  ['varnishd', startVarnish],
] as const)('G13: behind %s', (tool, start) => {
  test.skipIf(!hasTool(tool))('no head of one client is what another is told', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'kvs-poisoning-'))
    const server = await startPublicServer()
    const cache = await start({ dir, originPort: server.port })
    try {
      for (const [i, [name, fields]] of HOSTILE.entries()) {
        // Each has an address that no cache has seen.
        server.registry.streams.set(`cam-${i}`, server.lobby)
        const path = `/hls/cam-${i}/video.m3u8`
        await attack(cache, path, fields)
        expect([name, (await ask(cache.url + path)).status]).toEqual([name, 200])
      }
    } finally {
      await cache.stop()
      await server.close()
      await rm(dir, { recursive: true, force: true })
    }
  })
})
