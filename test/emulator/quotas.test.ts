import { GetDataEndpointCommand } from '@aws-sdk/client-kinesis-video'
import { expect, test } from 'vitest'
import { SlidingRate } from '../../src/emulator/usage/sliding-rate.ts'
import { controlClient, get, links, openSession, playlistUrl, rig } from './support/client.ts'

test('a session has five playlists a second for both tracks together', async () => {
  await using it = await rig()
  const masterUrl = await openSession(it.emulator.url, { StreamName: 'lobby-camera' })
  const poll = async (track: number): Promise<number> =>
    (await get(playlistUrl(masterUrl, track))).status
  for (let i = 0; i < 5; i += 1) expect(await poll(1 + (i % 2))).toBe(200)
  const refused = await get(playlistUrl(masterUrl))
  expect(refused.status).toBe(400)
  expect(refused.headers.get('x-amzn-errortype')).toMatch(/^ClientLimitExceededException:/)

  it.clock.advance(1000)
  expect(await poll(1)).toBe(200)
  const { cameras, sessions } = it.emulator.control.counters()
  expect(cameras['lobby-camera']?.calls['GetHLSMediaPlaylist']).toEqual({ 200: 6, 400: 1 })
  expect(sessions[0]?.maxPerSecond).toEqual({ GetHLSMediaPlaylist: 6 })
  expect(sessions[0]?.quotaViolations).toEqual({ GetHLSMediaPlaylist: 1 })
})

test('twenty fragments a second, and another session has its own twenty', async () => {
  await using it = await rig()
  const fetchMany = async (): Promise<readonly number[]> => {
    const masterUrl = await openSession(it.emulator.url, { StreamName: 'lobby-camera' })
    const { text } = await get(playlistUrl(masterUrl))
    const [url = ''] = links(text, masterUrl, 'getMP4MediaFragment')
    return Promise.all(Array.from({ length: 21 }, async () => (await get(url)).status))
  }
  for (const statuses of [await fetchMany(), await fetchMany()]) {
    expect(statuses.filter((status) => status === 200)).toHaveLength(20)
    expect(statuses.filter((status) => status === 400)).toHaveLength(1)
  }
})

test('points are shared by all sessions of a stream; refusals can be 429, or only counted', async () => {
  const quotas = { metadataPoints: 8, mediaPoints: 1, status: 429 } as const
  await using it = await rig({ config: { cameras: { cam: { quotas } } } })
  const [a, b] = [
    await openSession(it.emulator.url, { StreamName: 'cam' }),
    await openSession(it.emulator.url, { StreamName: 'cam' }),
  ]
  const { text } = await get(playlistUrl(a))
  expect((await get(playlistUrl(b))).status).toBe(429)
  const [first = '', second = ''] = links(text, a, 'getMP4MediaFragment')
  expect([(await get(first)).status, (await get(second)).status]).toEqual([200, 429])
  expect(it.emulator.control.counters().cameras['cam']).toMatchObject({
    maxPerSecond: { metadataPoints: 10, mediaPoints: 2 },
    quotaViolations: { metadataPoints: 1, mediaPoints: 1 },
  })

  it.emulator.control.patchCamera('cam', { quotas: { enforced: false } })
  expect((await get(second)).status).toBe(200)
  expect(it.emulator.control.counters().cameras['cam']?.quotaViolations['mediaPoints']).toBe(2)
})

test('GetDataEndpoint: five a second for a stream, a total for the account', async () => {
  await using it = await rig({ config: { accountQuota: 6 } })
  const client = controlClient(it.emulator.url)
  const ask = async (StreamName: string): Promise<string | undefined> =>
    client
      .send(new GetDataEndpointCommand({ StreamName, APIName: 'GET_HLS_STREAMING_SESSION_URL' }))
      .then(
        () => undefined,
        (error: unknown) => String(error),
      )
  for (let i = 0; i < 5; i += 1) expect(await ask('lobby-camera')).toBeUndefined()
  expect(await ask('lobby-camera')).toContain(
    "Limit exceeded on number of requests for GetDataEndpoint API for resource 'lobby-camera'",
  )
  expect(await ask('yard-camera')).toContain('Limit exceeded')
})

test('a rate looks back one second, no more and no less', () => {
  const rate = new SlidingRate()
  rate.add(0, 2)
  rate.add(999, 3)
  expect(rate.within(999)).toBe(5)
  expect(rate.within(1000)).toBe(3)
  expect(rate.within(1999)).toBe(0)
  expect(rate.max).toBe(5)
})
