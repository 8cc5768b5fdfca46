import {
  type Fragment,
  ListFragmentsCommand,
  type ListFragmentsCommandInput,
} from '@aws-sdk/client-kinesis-video-archived-media'
import { expect, test } from 'vitest'
import {
  get,
  mediaClient,
  NOON,
  numbers,
  openSession,
  playlistUrl,
  type Rig,
  rig,
} from './support/client.ts'

const RANGE = {
  FragmentSelectorType: 'PRODUCER_TIMESTAMP',
  TimestampRange: { StartTimestamp: new Date(NOON - 60_000), EndTimestamp: new Date(NOON) },
} as const

async function listAll(it: Rig, input: ListFragmentsCommandInput): Promise<readonly Fragment[][]> {
  const client = mediaClient(it.emulator.url)
  const pages: Fragment[][] = []
  let { NextToken } = input
  do {
    const page = await client.send(new ListFragmentsCommand({ ...input, NextToken }))
    pages.push(page.Fragments ?? [])
    NextToken = page.NextToken
    it.clock.advance(200)
  } while (NextToken !== undefined)
  return pages
}

test('pages hold all fragments once, in no order of their own', async () => {
  await using it = await rig()
  const pages = await listAll(it, {
    StreamName: 'lobby-camera',
    FragmentSelector: RANGE,
    MaxResults: 7,
  })
  expect(pages.map((page) => page.length)).toEqual([7, 7, 7, 7, 2])
  const listed = pages.flat().map(({ FragmentNumber }) => FragmentNumber ?? '')
  expect(new Set(listed).size).toBe(30)
  expect(listed.slice(0, 7)).not.toEqual(listed.slice(0, 7).toSorted())
})

test('it agrees with what LIVE showed: numbers, times, and a length without the last frame', async () => {
  await using it = await rig()
  const masterUrl = await openSession(it.emulator.url, { StreamName: 'lobby-camera' })
  const live = numbers((await get(playlistUrl(masterUrl))).text)
  it.clock.advance(3_600_000)

  const pages = await listAll(it, { StreamName: 'lobby-camera', FragmentSelector: RANGE })
  const archive = pages
    .flat()
    .toSorted((a, b) => ((a.FragmentNumber ?? '') < (b.FragmentNumber ?? '') ? -1 : 1))
  const archived = archive.map(({ FragmentNumber }) => FragmentNumber)
  expect(archived.filter((number) => live.includes(number ?? ''))).toEqual(live)

  for (const fragment of archive) {
    const bits = BigInt(fragment.FragmentNumber ?? '0') >> 28n
    expect(Number(BigInt.asUintN(64, bits))).toBe(fragment.ServerTimestamp?.getTime())
    expect(fragment.FragmentLengthInMilliseconds).toBe(1960)
    expect(fragment.FragmentSizeInBytes).toBeGreaterThan(50_000)
  }
})

test('a fragment is listed a little later than in playlists', async () => {
  await using it = await rig()
  it.clock.advance(200)
  const count = async (): Promise<number> => {
    const pages = await listAll(it, { StreamName: 'yard-camera', FragmentSelector: RANGE })
    return pages.flat().length
  }
  // The last one ended at noon: listed at +150 ms, here at +450 ms.
  expect(await count()).toBe(29)
  it.clock.advance(50)
  expect(await count()).toBe(30)
})

test.each([
  [{ NextToken: 'not a token' }],
  [{ MaxResults: 1001 }],
  [
    {
      FragmentSelector: {
        ...RANGE,
        TimestampRange: { StartTimestamp: new Date(NOON), EndTimestamp: new Date(NOON) },
      },
    },
  ],
])('%j is an invalid argument', async (input) => {
  await using it = await rig()
  await expect(
    listAll(it, { StreamName: 'lobby-camera', FragmentSelector: RANGE, ...input }),
  ).rejects.toMatchObject({ name: 'InvalidArgumentException' })
})
