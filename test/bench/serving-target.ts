import { systemClock } from '../../src/base/clock.ts'
import { segmentUri } from '../../src/render/uris.ts'
import { publishedKey } from '../../src/store/fragment-key.ts'
import { FIRST } from '../support/certificates.ts'
import { segment, snapshot } from '../support/literal-stream.ts'
import { startPublicServer } from '../support/public-server.ts'

/**
 * The public listener alone, without and with TLS, as a process of its own: one stream with a list of the usual length, real
 * renderers, and one 1-MiB segment in cache. Prints its URLs as one line of JSON and serves until SIGTERM.
 */
const MSN = 157_680_000
const ID = '0123456789abcdef'
const SIZE = 2 ** 20

const plain = await startPublicServer({ clock: systemClock })
const secure = await startPublicServer({ clock: systemClock, tls: FIRST })
for (const { lobby, store } of [plain, secure]) {
  const segments = Array.from({ length: 12 }, (_, i) => segment(MSN + i, ID, SIZE))
  lobby.show(snapshot(1, segments))
  store.put(publishedKey('lobby', 'video', MSN, ID), Buffer.alloc(SIZE, 'media'), 'listed')
}
process.once('SIGTERM', () => void Promise.all([plain.close(), secure.close()]))

console.log(
  JSON.stringify({
    port: plain.port,
    securePort: secure.port,
    playlist: '/hls/lobby/video.m3u8',
    fragment: `/hls/lobby/${segmentUri('video', MSN, ID)}`,
  }),
)
