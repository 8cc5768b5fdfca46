import { once } from 'node:events'
import type { Socket } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { silentLog } from '../../src/base/log.ts'
import { type PublicServer, startPublicServer } from '../support/public-server.ts'
import { ask, rawConnection } from '../support/raw-http.ts'

let server: PublicServer
const sockets: Socket[] = []

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  await server.close()
})

async function connect(count: number): Promise<void> {
  for (let i = 0; i < count; i += 1) sockets.push(await rawConnection(server.port))
  await expect.poll(() => server.counters.connections.value).toBe(sockets.length)
}

test('who comes beyond the most connections is told 503, others go on, and the log says it once', async () => {
  const warnings: string[] = []
  const log = { ...silentLog, warn: (event: string) => void warnings.push(event) }
  server = await startPublicServer({ mostConnections: () => 3, log })
  await connect(3)
  const url = `http://127.0.0.1:${server.port}/healthz`
  for (let i = 0; i < 2; i += 1) {
    const { status, headers, body } = await ask(url)
    expect([status, headers['connection'], headers['retry-after']]).toEqual([503, 'close', '2'])
    expect(JSON.parse(body.toString())).toMatchObject({ code: 'overloaded' })
  }
  const [first] = sockets
  if (first === undefined) throw new Error('no connection')
  first.resume()
  first.write('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n')
  expect(String(await once(first, 'data'))).toContain('200 OK')
  expect(warnings).toEqual(['connections refused'])
  expect(server.counters.connectionsRefused.total()).toBe(2)

  first.destroy()
  await expect.poll(() => server.counters.connections.value).toBe(2)
  expect((await ask(url)).status).toBe(200)
})
