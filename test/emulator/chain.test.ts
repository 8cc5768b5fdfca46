import { expect, test } from 'vitest'
import { get, links, numbers, openSession, playlistUrl, rig } from './support/client.ts'

test('the AWS SDK and plain GETs lead from a stream name to media', async () => {
  await using it = await rig()
  const masterUrl = await openSession(it.emulator.url, { StreamName: 'lobby-camera' })
  expect(masterUrl.startsWith(`${it.emulator.url}/hls/v1/getHLSMasterPlaylist.m3u8?`)).toBe(true)

  const master = await get(masterUrl)
  const [audioUrl, videoUrl] = links(master.text, masterUrl, 'getHLSMediaPlaylist')
  for (const mediaUrl of [audioUrl ?? '', videoUrl ?? '']) {
    const media = await get(mediaUrl)
    expect(numbers(media.text)).toHaveLength(5)
    const [init] = links(media.text, masterUrl, 'getMP4InitFragment')
    expect((await get(init ?? '')).bytes.toString('latin1', 4, 8)).toBe('ftyp')
    const [fragment] = links(media.text, masterUrl, 'getMP4MediaFragment')
    expect((await get(fragment ?? '')).bytes.toString('latin1', 4, 8)).toBe('moof')
  }
})

test('the list slides with time, one fragment each two seconds', async () => {
  await using it = await rig()
  const masterUrl = await openSession(it.emulator.url, { StreamName: 'lobby-camera' })
  const before = await get(playlistUrl(masterUrl))
  it.clock.advance(2000)
  const after = await get(playlistUrl(masterUrl))

  expect(numbers(after.text).slice(0, 4)).toEqual(numbers(before.text).slice(1))
  expect(before.text).toContain('#EXT-X-MEDIA-SEQUENCE:0\n')
  expect(after.text).toContain('#EXT-X-MEDIA-SEQUENCE:1\n')
})
