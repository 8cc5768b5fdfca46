import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { CameraConfigInput } from '../../src/emulator/config.ts'
import { type Board, type BoardRow, startBoard } from './support/board.ts'

/**
 * What plays when nothing is wrong: mode × container × fragment selector × discontinuity mode × tracks.
 * All rows of a container play in one world, through one roll-over each.
 */
const CONTAINERS = ['FRAGMENTED_MP4', 'MPEG_TS'] as const
const SELECTORS = ['PRODUCER_TIMESTAMP', 'SERVER_TIMESTAMP'] as const
const DISCONTINUITY_MODES = ['ON_DISCONTINUITY', 'ALWAYS', 'NEVER'] as const

interface Tracks {
  readonly what: string
  readonly clip: NonNullable<CameraConfigInput['clip']>
  readonly codecs: RegExp
  readonly renditions: readonly string[]
}

const TRACKS: readonly Tracks[] = [
  {
    what: 'av',
    clip: 'av-720p',
    codecs: /"avc1\.\w+,mp4a\.40\.2"/,
    renditions: ['video', 'audio'],
  },
  { what: 'video', clip: 'video-only', codecs: /"avc1\.\w+"/, renditions: ['video'] },
  { what: 'audio', clip: 'audio-only', codecs: /"mp4a\.40\.2"/, renditions: ['audio'] },
  {
    what: 'hevc',
    clip: 'hevc',
    codecs: /"hvc1\.[\w.]+,mp4a\.40\.2"/,
    renditions: ['video', 'audio'],
  },
]

interface Row extends BoardRow {
  readonly tracks: Tracks
  readonly title: string
}

function rowsOf(containerFormat: string): readonly Row[] {
  return TRACKS.flatMap((tracks) =>
    SELECTORS.flatMap((fragmentSelectorType) =>
      DISCONTINUITY_MODES.map((discontinuityMode) => ({
        name: `${tracks.what}-${fragmentSelectorType}-${discontinuityMode}`
          .toLowerCase()
          .replaceAll('_', '-'),
        title: `${tracks.what}, ${fragmentSelectorType}, ${discontinuityMode}`,
        camera: { clip: tracks.clip, tfdtBase: 'session' },
        kvs: { containerFormat, fragmentSelectorType, discontinuityMode },
        tracks,
      })),
    ),
  )
}

describe.each(CONTAINERS)('LIVE, %s', (container) => {
  const rows = rowsOf(container)
  let board: Board

  beforeAll(async () => {
    board = await startBoard(rows)
    await board.pass(10_000)
    await board.rollOver(rows.map(({ name }) => name))
    await board.pass(10_000)
  }, 120_000)
  afterAll(() => board[Symbol.asyncDispose]())

  test.each(rows)('G2, G4: $title', async ({ name, tracks }) => {
    const verdict = await board.verdict(name)
    expect(verdict).toMatchObject({ faults: [], discontinuities: 0, missed: 0 })
    expect(verdict.segments).toBeGreaterThanOrEqual(10)
    expect(Object.keys(verdict.decoded)).toEqual(tracks.renditions)
    const seamless = { warnings: [], gaps: [], runs: 1 }
    for (const rendition of Object.values(verdict.decoded)) {
      expect(rendition).toMatchObject(seamless)
      expect(rendition.frames).toBeGreaterThan(15 * 20)
    }
    const { session } = await board.world.admin.stream(name)
    expect(session?.rollovers).toBe(1)
    const master = await (await fetch(board.world.watchUrl(name))).text()
    expect(master).toMatch(tracks.codecs)
  })
})
