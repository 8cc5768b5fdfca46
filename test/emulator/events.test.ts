import { expect, test } from 'vitest'
import type { Control } from '../../src/emulator/control/control.ts'
import { get, links, numbers, openSession, playlistUrl, type Rig, rig } from './support/client.ts'

const PRODUCER = {
  HLSFragmentSelector: { FragmentSelectorType: 'PRODUCER_TIMESTAMP' },
  DiscontinuityMode: 'ON_DISCONTINUITY',
  DisplayFragmentTimestamp: 'ALWAYS',
} as const

/** A camera with fragments of one second, a session on it, and ten more seconds after `disturb`. */
async function afterwards(
  disturb: (control: Control) => void,
  ask: object = PRODUCER,
): Promise<{ readonly it: Rig; readonly masterUrl: string; readonly text: string }> {
  const it = await rig({ config: { cameras: { cam: { clip: 'av-360p' } } } })
  const input = { StreamName: 'cam', MaxMediaPlaylistFragmentResults: 10, ...ask }
  const masterUrl = await openSession(it.emulator.url, input)
  it.clock.advance(500)
  disturb(it.emulator.control)
  it.clock.advance(9700)
  return { it, masterUrl, text: (await get(playlistUrl(masterUrl))).text }
}

const starts = (text: string): readonly number[] =>
  [...text.matchAll(/DATE-TIME:.*T12:00:(\d\d\.\d{3})Z/g)].map(([, second]) => Number(second))

test('dropped fragments leave a gap and a discontinuity', async () => {
  const { it, text } = await afterwards((control) => {
    control.order('cam', { type: 'drop', count: 2 })
  })
  await using _ = it
  expect(starts(text)).toEqual([2, 3, 4, 5, 6, 7, 8, 9])
  expect(text.match(/DISCONTINUITY\n.*12:00:02/g)).toHaveLength(1)
})

test('duplicates: the greatest number wins by producer time, both stay by server time', async () => {
  const duplicate = (control: Control): void =>
    control.order('cam', { type: 'duplicate', count: 1, lag: 2 })
  const producer = await afterwards(duplicate)
  await using _ = producer.it
  expect(starts(producer.text)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  const [first = '', second = ''] = numbers(producer.text)
  expect(BigInt(first)).toBeGreaterThan(BigInt(second))

  const server = await afterwards(duplicate, {})
  await using __ = server.it
  const listed = numbers(server.text).map(BigInt)
  expect(listed).toEqual(listed.toSorted((a, b) => (a < b ? -1 : 1)))
  const all = server.it.emulator.control.fragments('cam', 12)
  expect(new Set(all.map(({ producerMs }) => producerMs)).size).toBe(11)
})

test('an overlap moves one fragment into its predecessor', async () => {
  const { it, text } = await afterwards((control) => {
    control.order('cam', { type: 'overlap', ms: 200 })
    control.order('cam', { type: 'overlap', ms: 50, count: 1 }, it0(control) + 3000)
  })
  await using _ = it
  expect(starts(text).slice(0, 5)).toEqual([1, 2, 2.95, 4, 5])
  // Overlap and gap of the first; 50 ms are within what KVS takes for continuous.
  expect(text.match(/#EXT-X-DISCONTINUITY\n/g)).toHaveLength(2)
})

const it0 = (control: Control): number => (control.fragments('cam', 1)[0]?.producerMs ?? 0) + 1000

test('a late fragment never gets into LIVE, but into the archive', async () => {
  const { it, text } = await afterwards((control) => {
    control.order('cam', { type: 'late', ms: 4000 })
  })
  await using _ = it
  expect(starts(text)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9])
  const archive = it.emulator.control.fragments('cam', 10)
  expect(archive).toHaveLength(10)
  const late = archive[0]
  expect((late?.listedAtMs ?? 0) - (late?.producerMs ?? 0)).toBe(5150)
})

test('a little lateness that nothing overtakes just delays the list', async () => {
  const { it, text } = await afterwards((control) => {
    control.order('cam', { type: 'late', ms: 900 })
  })
  await using _ = it
  expect(starts(text)[0]).toBe(0)
})

test('a jump of the producer’s clock moves all later timestamps, and no server time', async () => {
  const { it, text } = await afterwards((control) => {
    control.order('cam', { type: 'skew', ms: 5000 })
  })
  await using _ = it
  expect(starts(text)).toEqual([5, 6, 7, 8, 9, 10, 11, 12, 13, 14])
  const [fragment] = it.emulator.control.fragments('cam', 1)
  expect((fragment?.producerMs ?? 0) - (fragment?.serverMs ?? 0)).toBeGreaterThan(4500)
})

test('new codec private data comes with its own MAP, numbered within the session', async () => {
  const { it, text, masterUrl } = await afterwards((control) => {
    control.order('cam', { type: 'codec-private-data' })
    control.order('cam', { type: 'codec-private-data' }, it0(control) + 4000)
  })
  await using _ = it
  const maps = links(text, masterUrl, 'getMP4InitFragment')
  expect(maps.map((url) => new URL(url).searchParams.get('SequenceNumber'))).toEqual(['1', '2'])
  const bodies = await Promise.all(maps.map(async (url) => (await get(url)).bytes))
  expect(bodies[0]?.equals(bodies[1] ?? Buffer.alloc(0))).toBe(false)

  const later = await openSession(it.emulator.url, { StreamName: 'cam', ...PRODUCER })
  const fresh = links((await get(playlistUrl(later))).text, later, 'getMP4InitFragment')
  expect(fresh.map((url) => new URL(url).searchParams.get('SequenceNumber'))).toEqual(['0'])
  expect((await get(fresh[0] ?? '')).bytes).toEqual(bodies[1])
})

test('more changes than a session may have make it fail', async () => {
  const { it, masterUrl } = await afterwards((control) => {
    control.patchCamera('cam', { cpdChangeLimit: 1 })
    control.order('cam', { type: 'codec-private-data' })
    control.order('cam', { type: 'codec-private-data' }, it0(control) + 4000)
  })
  await using _ = it
  expect((await get(playlistUrl(masterUrl))).status).toBe(400)
  const later = await openSession(it.emulator.url, { StreamName: 'cam' })
  expect((await get(playlistUrl(later))).status).toBe(200)
})

test('after a change of tracks, old sessions cannot load fragments and new ones can', async () => {
  const { it, text, masterUrl } = await afterwards((control) => {
    control.order('cam', { type: 'tracks', video: true, audio: false }, it0(control) + 4000)
  })
  await using _ = it
  const urls = links(text, masterUrl, 'getMP4MediaFragment')
  const statuses = await Promise.all(urls.map(async (url) => (await get(url)).status))
  expect(statuses).toEqual([200, 200, 200, 200, 400, 400, 400, 400, 400, 400])

  const later = await openSession(it.emulator.url, { StreamName: 'cam', ...PRODUCER })
  expect((await get(later)).text).not.toContain('TYPE=AUDIO')
  const fresh = await get(playlistUrl(later))
  expect(numbers(fresh.text)).toHaveLength(5)
  const [url = ''] = links(fresh.text, later, 'getMP4MediaFragment')
  expect((await get(url)).status).toBe(200)
})

test('a reconnect continues the media under numbers of the next thousand', async () => {
  const { it, text } = await afterwards((control) => {
    control.order('cam', { type: 'reconnect' }, it0(control) + 4000)
  })
  await using _ = it
  expect(text).not.toContain('DISCONTINUITY')
  const counters = numbers(text).map((number) => Number((BigInt(number) >> 92n) % 2n ** 32n))
  expect(counters.map((counter) => counter % 1000).slice(4, 7)).toEqual([1, 2, 3])
})

test('the past cannot be changed', async () => {
  await using it = await rig()
  expect(() =>
    it.emulator.control.order('lobby-camera', { type: 'drop', count: 1 }, it.clock.now() - 1),
  ).toThrow(RangeError)
})
