import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { CameraConfigInput } from '../../src/emulator/config.ts'
import type { FaultInput } from '../../src/emulator/service/fault.ts'
import { pairs } from '../support/pairs.ts'
import { cameraOf } from '../support/world.ts'
import { type Board, type BoardRow, startBoard } from './support/board.ts'

/**
 * What plays live when nothing is wrong: all that a stream's configuration and a camera may be, and each switch of what
 * AWS does not document (KVS.md, section 13). Viewers must not be able to tell any of it apart, nor see its roll-overs.
 * By pairs: each value meets each of the other columns.
 */
const COLUMNS = {
  tracks: {
    'av-360p': { clip: 'av-360p' },
    'irregular fragments': { clip: 'av-360p-irregular' },
    'pictures only': { clip: 'video-only' },
    'sound only': { clip: 'audio-only' },
    hevc: { clip: 'hevc' },
  },
  times: {
    'tfdt from the epoch': { tfdtBase: 'epoch' },
    'from the session’s start': { tfdtBase: 'session' },
    'from each fragment’s start': { tfdtBase: 'fragment' },
    'from the session’s start in 32 bits': { tfdtBase: 'session', tfdtVersion: 0 },
    'from each fragment’s start in 32 bits': { tfdtBase: 'fragment', tfdtVersion: 0 },
  },
  boxes: {
    'plain boxes': {},
    sidx: { sidx: true },
    'styp, sidx and five moofs': { styp: true, sidx: true, moofs: 5 },
    'mfhd always 1': { mfhd: 'one' },
  },
  sequence: {
    'MEDIA-SEQUENCE from 0': {},
    'from 1, in plain numbers': { mediaSequenceStart: 1, numberFormat: 'plain' },
    'counting polls': { mediaSequenceAdvance: 'polls' },
    'with DISCONTINUITY-SEQUENCE': { discontinuitySequence: true },
  },
  lists: {
    'lists as documented': {},
    'FragmentNumbers of the session': { fragmentUri: 'index' },
    'MAP without SequenceNumber': { mapSequenceNumber: false },
    'EXTINF 40 ms off': { extinfErrorMs: 40 },
  },
  answers: {
    'prompt answers': {},
    'slow ingestion that wavers': { ingestLatencyMs: 1_500, ingestJitterMs: 800 },
    'slow answers with bare headers': { latencyMs: 300, errorHeaders: 'none', cors: false },
  },
} as const satisfies Record<string, Record<string, CameraConfigInput>>

/** Once it plays: refusals at a start only make it late. */
const REFUSALS = {
  'nothing refused': [],
  'a tenth refused with 400': [throttle(400)],
  'a tenth refused with 429': [throttle(429)],
} as const satisfies Record<string, readonly FaultInput[]>

const KVS = {
  containerFormat: ['FRAGMENTED_MP4', 'MPEG_TS'],
  fragmentSelectorType: ['PRODUCER_TIMESTAMP', 'SERVER_TIMESTAMP'],
  discontinuityMode: ['ON_DISCONTINUITY', 'ALWAYS', 'NEVER'],
} as const

function throttle(status: number): FaultInput {
  return { kind: 'status', status, type: 'ClientLimitExceededException', probability: 0.1 }
}

const CODECS: Readonly<Record<string, RegExp>> = {
  'pictures only': /"avc1\.\w+"/,
  'sound only': /"mp4a\.40\.2"/,
  hevc: /"hvc1\.1\.6\.L63\.90,mp4a\.40\.2"/,
}
const H264_AND_AAC = /"avc1\.\w+,mp4a\.40\.2"/

function renditionsOf(tracks: string): readonly string[] {
  if (tracks === 'pictures only') return ['video']
  return tracks === 'sound only' ? ['audio'] : ['video', 'audio']
}

interface Row extends BoardRow {
  readonly tracks: string
  readonly title: string
  readonly faults: readonly FaultInput[]
}

const names = <T extends object>(column: T) => Object.keys(column) as (keyof T)[]

function rows(): readonly Row[] {
  const table = pairs({
    tracks: names(COLUMNS.tracks),
    times: names(COLUMNS.times),
    boxes: names(COLUMNS.boxes),
    sequence: names(COLUMNS.sequence),
    lists: names(COLUMNS.lists),
    answers: names(COLUMNS.answers),
    refusals: names(REFUSALS),
    ...KVS,
  })
  return table.map((row, i) => {
    const { tracks, times, boxes, sequence, lists, answers, refusals, ...kvs } = row
    return {
      name: `row-${i}`,
      title: Object.values(row).join(', '),
      tracks,
      camera: {
        ...COLUMNS.tracks[tracks],
        ...COLUMNS.times[times],
        ...COLUMNS.boxes[boxes],
        ...COLUMNS.sequence[sequence],
        ...COLUMNS.lists[lists],
        ...COLUMNS.answers[answers],
      } as CameraConfigInput,
      kvs,
      // Without headers that name the error, a throttle answer is a refusal like any other.
      faults: 'errorHeaders' in COLUMNS.answers[answers] ? [] : REFUSALS[refusals],
    }
  })
}

describe('LIVE', () => {
  const table = rows()
  let board: Board

  beforeAll(async () => {
    board = await startBoard(table)
    await board.pass(12_000)
    for (const { name, faults } of table) {
      for (const fault of faults) board.world.control.addFault(cameraOf(name), fault)
    }
    await board.rollOver(table.map(({ name }) => name))
    await board.pass(10_000)
    for (const { name } of table) board.world.control.revoke(cameraOf(name))
    await board.pass(10_000)
  })
  afterAll(() => board[Symbol.asyncDispose]())

  // Vitest cuts `$title` short, `%s` not.
  test.each(table.map((row) => [row.title, row] as const))(
    'G2, G4: %s',
    async (_title, { name, tracks }) => {
      const verdict = await board.verdict(name)
      expect(verdict).toMatchObject({ faults: [], discontinuities: 0, missed: 0 })
      expect(Object.keys(verdict.decoded)).toEqual(renditionsOf(tracks))
      const seamless = { warnings: [], gaps: [], runs: 1 }
      for (const rendition of Object.values(verdict.decoded)) {
        expect(rendition).toMatchObject(seamless)
        expect(rendition.frames).toBeGreaterThan(15 * 25)
      }
      const { session } = await board.world.admin.stream(name)
      expect(session?.rollovers).toBe(2)
      expect(board.world.counters(name).quotaViolations).toEqual({})
      const master = await (await fetch(board.world.watchUrl(name))).text()
      expect(master).toMatch(CODECS[tracks] ?? H264_AND_AAC)
    },
  )
})
