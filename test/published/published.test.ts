import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, expect, test } from 'vitest'
import {
  begin,
  type Container,
  FIRST_LOOK_S,
  type History,
  RESTART_S,
  ROLL_OVER_S,
  SECOND_LOOK_S,
  SLATE_S,
  START_MS,
  warmUp,
} from './history.ts'
import { Published } from './published.ts'

/*
 * What 5ea7d07 published, byte for byte, over a roll-over, a gap, a codec change, an insertion, a restart and
 * a slate; and state directories that it wrote. Whatever is rebuilt inside, nobody outside may notice. Changed on purpose
 * since: live lists hold 15 s at least; lists of the past date sound by itself, and their segments have other mfhd and names;
 * multivariant playlists say CLOSED-CAPTIONS=NONE.
 */

beforeAll(warmUp)

const CONTAINERS = [
  ['fmp4', 'FRAGMENTED_MP4'],
  ['ts', 'MPEG_TS'],
] as const satisfies (readonly [string, Container])[]

test.each(CONTAINERS)(
  'G1, G15: lists and bytes are what they always were: %s',
  async (name, kind) => {
    await using history = await begin(kind)
    const { until, world, during } = history
    await until(ROLL_OVER_S)
    await during(world.admin.order('lobby', 'rollover'))

    await until(FIRST_LOOK_S)
    const first = await new Published(history).dvr('video')
    await expect(await firstLook(history, first)).toMatchFileSnapshot(golden(`first-look-${name}`))

    await until(RESTART_S)
    await during(world.stopGateway())
    await during(world.startGateway())
    await until(SECOND_LOOK_S)
    const look = await secondLook(history, first)
    await expect(look).toMatchFileSnapshot(golden(`second-look-${name}`))
  },
)

test.each(CONTAINERS)('G1, G6: goes on from what 5ea7d07 saved: %s', async (name, kind) => {
  const state = fileURLToPath(new URL(`golden/state-${name}`, import.meta.url))
  // Without the bytes of any fragment: KVS gives them again.
  await using history = await begin(kind, { state, atS: RESTART_S + 2 })
  await history.until(SECOND_LOOK_S)
  const look = await secondLook(history, `dvr-${firstEdition(state)}/video.m3u8`)
  // The same as without a restart; but of what it saved nothing is known of captions.
  const uninterrupted = readFileSync(golden(`second-look-${name}`), 'utf8')
  expect(look).toBe(uninterrupted.replaceAll(',CLOSED-CAPTIONS=NONE', ''))
})

async function firstLook(history: History, dvr: string): Promise<string> {
  const published = new Published(history)
  await published.list('master.m3u8')
  await published.list('video.m3u8')
  await published.list('audio.m3u8')
  await published.list('dvr.m3u8')
  await published.brief(dvr)
  await published.list(`${dvr}?_HLS_skip=YES`)
  await published.list(query(4, 46))
  await published.list(`${archive(4, 46)}/video.m3u8`)
  await published.brief(`${archive(4, 46)}/audio.m3u8`)
  await published.bytes(`${archive(4, 46)}/video.m3u8`)
  await published.list(query(30))
  await published.list(`${archive(30)}/video.m3u8`)
  return published.text
}

/** @param first the video list of the first edition, which lacks what was inserted since */
async function secondLook(history: History, first: string): Promise<string> {
  const published = new Published(history)
  const second = await published.dvr('video')
  expect(second).not.toBe(first)
  await published.brief(first)
  await published.brief(`${first}?_HLS_skip=YES`)
  await published.list('video.m3u8')
  await published.brief('audio.m3u8')
  await published.list('dvr.m3u8')
  await published.list(second)
  await published.brief(await published.dvr('audio'))
  await published.bytes(second)
  await published.bytes(await published.dvr('audio'))
  await published.list(query(60))
  await published.list(`${archive(60)}/video.m3u8`)
  await published.bytes(`${archive(60)}/audio.m3u8`)
  const lastMsn = await published.newestMsn('video.m3u8')
  await history.until(SLATE_S)
  // How far it has come is the machine's, what it is made of is not.
  await published.some(second, lastMsn, 6)
  await published.some(await published.dvr('audio'), lastMsn, 6)
  return published.text
}

/** @param toS left out: it grows */
function archive(fromS: number, toS?: number): string {
  const end = toS === undefined ? 'open' : START_MS + toS * 1000
  return `archive/${START_MS + fromS * 1000}-${end}`
}

function query(fromS: number, toS?: number): string {
  const time = (s: number): string => new Date(START_MS + s * 1000).toISOString()
  return `master.m3u8?start=${time(fromS)}${toS === undefined ? '' : `&end=${time(toS)}`}`
}

/** Of a saved DVR list. */
function firstEdition(state: string): string {
  const journals = readdirSync(join(state, 'dvr'), { recursive: true, encoding: 'utf8' })
  const page = journals.find((name) => name.endsWith('.jsonl')) ?? ''
  const [, edition] =
    /"editions":\[(\d+)/.exec(readFileSync(join(state, 'dvr', page), 'utf8')) ?? []
  if (edition === undefined) throw new Error('no edition was saved')
  return edition
}

function golden(name: string): string {
  return fileURLToPath(new URL(`golden/${name}.txt`, import.meta.url))
}
