import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { decodeWithoutWarning } from '../proof/decode.ts'
import { HeavyCamera } from './heavy-camera.ts'

let camera: HeavyCamera

beforeAll(async () => {
  camera = await HeavyCamera.start()
})

afterAll(() => camera.close())

async function get(url: string): Promise<Buffer> {
  const response = await fetch(url)
  expect(response.status).toBe(200)
  return Buffer.from(await response.arrayBuffer())
}

test('it sends 2 Mbit/s', () => {
  expect((8 * camera.bytesPerSecond) / 1e6).toBeCloseTo(2, 1)
})

test('a session leads to fragments that decode as one, over the loop’s seam', async () => {
  const response = await fetch(`${camera.url}/getHLSStreamingSessionURL`, { method: 'POST' })
  const answer = z.object({ HLSStreamingSessionURL: z.url() }).parse(await response.json())
  const base = answer.HLSStreamingSessionURL
  const child = (uri: string): Promise<Buffer> => get(new URL(uri, base).href)

  const [playlistUri = ''] = (await get(base)).toString().match(/^get.*/m) ?? []
  const playlist = (await child(playlistUri)).toString()
  const [, initUri = ''] = /MAP:URI="(.*)"/.exec(playlist) ?? []
  const fragmentUris = playlist.match(/^getMP4MediaFragment.*/gm) ?? []
  const parts = await Promise.all([initUri, ...fragmentUris].map(child))
  const { warnings, streams } = await decodeWithoutWarning(Buffer.concat(parts))

  expect(warnings).toEqual([])
  expect(streams).toMatchObject([{ type: 'video', frames: 500, gaps: [] }])
})
