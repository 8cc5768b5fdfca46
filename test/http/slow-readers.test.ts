import { once } from 'node:events'
import type { Socket } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { publishedKey } from '../../src/store/fragment-key.ts'
import { connections, type PublicServer, startPublicServer } from '../support/public-server.ts'
import { ask, rawConnection } from '../support/raw-http.ts'
import { ScriptedSource } from '../support/scripted-source.ts'

const MIB = 2 ** 20
let server: PublicServer
const open: Socket[] = []

afterEach(async () => {
  for (const socket of open.splice(0)) socket.destroy()
  await server.close()
})

/** Asks for a segment and does not read the answer. */
async function stall(msn: number): Promise<Socket> {
  const socket = await rawConnection(server.port)
  open.push(socket)
  socket.write(`GET /hls/lobby/video/${msn}-x.m4s HTTP/1.1\r\nHost: x\r\n\r\n`)
  return socket
}

function put(msn: number, bytes: number): void {
  server.store.put(
    publishedKey('lobby', 'video', msn, 'x'),
    Buffer.allocUnsafeSlow(bytes),
    'listed',
  )
}

const answered = (): number => server.counters.downstreamRequests.total({ class: 'segment' })

test('G18: who is still sending what leaves the cache is cut off, others are not', async () => {
  server = await startPublicServer({ maxBytes: 40 * MIB })
  // More than what the kernel takes in for a reader that does not read.
  put(1, 20 * MIB)
  put(2, 20 * MIB)
  const [slow, other] = [await stall(1), await stall(2)]
  await expect.poll(answered).toBe(2)
  expect([slow, other].map((socket) => socket.closed)).toEqual([false, false])

  const cut = once(slow.resume(), 'close')
  put(3, 20 * MIB)
  await cut
  expect(slow.bytesRead).toBeLessThan(20 * MIB)
  expect(other.closed).toBe(false)
})

test('G18: it is the same for a segment that is still being fetched', async () => {
  server = await startPublicServer({ maxBytes: 40 * MIB })
  const source = new ScriptedSource()
  const plan = { size: 20 * MIB, hold: 'listed', source: source.open } as const
  server.lobby.upstream.set('lobby/video/1-x', plan)
  const slow = await stall(1)
  source.push(Buffer.alloc(20 * MIB))
  source.end()
  await expect.poll(() => server.store.stats().entries).toBe(1)

  const cut = once(slow.resume(), 'close')
  put(2, 20 * MIB)
  put(3, 20 * MIB)
  await cut
  expect(slow.bytesRead).toBeLessThan(20 * MIB)
})

test('G18: a reader that takes nothing for too long is cut off, one that keeps reading is not', async () => {
  server = await startPublicServer({ stallTimeoutMs: 400 })
  put(1, 20 * MIB)
  const [stalled, slow] = [await stall(1), await stall(1)]
  await expect.poll(answered).toBe(2)
  const sip = setInterval(() => void slow.read(), 5)
  await expect.poll(() => connections(server)).toBe(1)
  clearInterval(sip)
  expect(slow.closed).toBe(false)
  stalled.resume()
  await once(stalled, 'close')
  expect(stalled.bytesRead).toBeLessThan(20 * MIB)
})

test('G18: stalled readers share one copy of what they do not read', async () => {
  server = await startPublicServer()
  put(1, 8 * MIB)
  await ask(`${server.url}/hls/lobby/video/1-x.m4s`)
  const before = process.memoryUsage().arrayBuffers
  await Promise.all(Array.from({ length: 40 }, () => stall(1)))
  await expect.poll(answered).toBe(41)
  // 320 MiB if each had its own. What is left is sockets of both ends.
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(20 * MIB)
})
