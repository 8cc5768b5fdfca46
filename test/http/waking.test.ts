import http from 'node:http'
import { afterEach, expect, test } from 'vitest'
import { silentLog } from '../../src/base/log.ts'
import { segment, snapshot } from '../support/literal-stream.ts'
import { type PublicServer, startPublicServer } from '../support/public-server.ts'
import { ask } from '../support/raw-http.ts'

let server: PublicServer
afterEach(() => server.close())

test('a first request waits for media and is then answered', async () => {
  server = await startPublicServer()
  const answers = ['master', 'video'].map((name) => ask(`${server.url}/hls/yard/${name}.m3u8`))
  await expect.poll(() => server.registry.requested).toEqual(['yard', 'yard'])
  server.registry.get('yard')?.show(snapshot(1, [segment(7)]))
  for (const { status } of await Promise.all(answers)) expect(status).toBe(200)
})

test('a stream that lists nothing has to be woken too, and may stay without media', async () => {
  server = await startPublicServer()
  server.registry.get('yard')?.show(snapshot(1, []))
  const { status, headers, body } = await ask(`${server.url}/hls/yard/video.m3u8`)
  expect(server.registry.requested).toEqual(['yard'])
  expect(status).toBe(503)
  expect(headers['retry-after']).toBe('2')
  expect(body.toString()).toContain('"no_media"')
})

test('requests that wait are counted while they do', async () => {
  server = await startPublicServer()
  const blocked = (): number => server.counters.blockedRequests.value
  const answers = [1, 2].map(() => ask(`${server.url}/hls/yard/video.m3u8`))
  await expect.poll(blocked).toBe(2)
  server.registry.get('yard')?.show(snapshot(1, [segment(7)]))
  await Promise.all(answers)
  expect(blocked()).toBe(0)
})

test('a client that leaves while it waits ends its wait, and is not a failure', async () => {
  const errors: string[] = []
  server = await startPublicServer({
    log: { ...silentLog, error: (event) => void errors.push(event) },
  })
  let reason: unknown
  server.registry.request = (_name, signal) =>
    new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => {
        reason = signal.reason
        reject(signal.reason as Error)
      })
      request.destroy()
    })
  const request = http.get(`${server.url}/hls/yard/master.m3u8`).on('error', () => {})
  await expect.poll(() => reason).toBeInstanceOf(Error)
  expect((await ask(`${server.url}/healthz`)).status).toBe(200)
  expect(errors).toEqual([])
})

test('every request touches its stream, and playlists count a connection as a viewer', async () => {
  server = await startPublicServer()
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
  const get = (path: string): Promise<void> =>
    new Promise((resolve) => {
      http.get(server.url + path, { agent }, (response) => response.resume().on('end', resolve))
    })
  await get('/hls/lobby/master.m3u8')
  expect(server.lobby.viewers.count(0, 1000)).toBe(0)
  await get('/hls/lobby/video.m3u8')
  await get('/hls/lobby/video.m3u8')
  expect(server.lobby.viewers.count(0, 1000)).toBe(1)
  expect(server.lobby.viewers.count(1001, 1000)).toBe(0)
  expect(server.lobby.touches).toBe(3)

  agent.destroy()
  await expect.poll(() => server.lobby.viewers.count(0, 1000)).toBe(0)
})

test('close ends connections that wait or idle', async () => {
  server = await startPublicServer({ drainMs: 50 })
  const waiting = ask(`${server.url}/hls/yard/master.m3u8`)
  const cut = expect(waiting).rejects.toThrow()
  await expect.poll(() => server.registry.requested).toEqual(['yard'])
  await server.close()
  await cut
})
