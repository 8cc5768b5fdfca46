import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Emulator } from '../../src/emulator/emulator.ts'
import type { FaultInput } from '../../src/emulator/service/fault.ts'
import { cameraOf } from '../support/world.ts'
import { type Board, type BoardRow, startBoard } from './support/board.ts'

/**
 * What goes wrong at the camera or on the way. All rows of a container play in one world, each with its own trouble: none may
 * become the viewer's. What is read from the media is tried in both containers; the others, of which ingest hands on one form
 * and one way of fetching, in one each, by turns.
 */
const CONTAINERS = ['FRAGMENTED_MP4', 'MPEG_TS'] as const

type Event = Parameters<Emulator['control']['order']>[1]

interface Trouble {
  readonly what: string
  /** Whether it is read from the media, and so has to be tried in both containers. */
  readonly inMedia?: true
  readonly events?: readonly Event[]
  /** Later, in milliseconds after the others. */
  readonly later?: readonly (readonly [afterMs: number, event: Event])[]
  readonly faults?: readonly FaultInput[]
  readonly settings?: BoardRow['settings']
  readonly tolerances?: BoardRow['tolerances']
  /** How often players must reset. */
  readonly resets: number
}

const SLOW = { kind: 'slow', bytesPerSecond: 60_000, times: 4 } as const

/** Its fragments are of a second before, and of two seconds then. */
const LONGER = { minTargetDuration: '2s' }

const TROUBLES: readonly Trouble[] = [
  {
    what: 'another size',
    inMedia: true,
    events: [{ type: 'clip', clip: 'av-720p' }],
    settings: LONGER,
    resets: 1,
  },
  {
    what: 'another codec and back',
    inMedia: true,
    events: [{ type: 'clip', clip: 'hevc' }],
    later: [[12_000, { type: 'clip', clip: 'av-360p' }]],
    settings: LONGER,
    resets: 2,
  },
  {
    what: 'sound only',
    inMedia: true,
    events: [{ type: 'clip', clip: 'audio-only' }],
    settings: LONGER,
    resets: 1,
  },
  {
    what: 'pictures only',
    inMedia: true,
    events: [{ type: 'clip', clip: 'video-only' }],
    settings: LONGER,
    resets: 1,
  },
  {
    what: 'longer fragments',
    events: [{ type: 'clip', clip: 'av-360p-irregular' }],
    settings: { minTargetDuration: '4s' },
    resets: 1,
  },
  {
    what: 'fragments of 1 to 20 s',
    events: [{ type: 'clip', clip: 'av-180p-long' }],
    settings: { minTargetDuration: '20s' },
    resets: 1,
  },
  { what: 'a fast clock', events: [{ type: 'drift', ppm: 500 }], resets: 0 },
  { what: 'a slow clock', events: [{ type: 'drift', ppm: -500 }], resets: 0 },
  {
    // Steps within 50 ms are no discontinuity, and are taken to the date where they add up.
    what: 'a clock far too fast',
    events: [{ type: 'drift', ppm: 30_000 }],
    tolerances: { jumpMs: 50 },
    resets: 0,
  },
  {
    // The dates go on, the sound and the picture of other fragments do not quite fit.
    what: 'back by two fragments',
    events: [{ type: 'skew', ms: -2000 }],
    tolerances: { jumpMs: 50 },
    resets: 0,
  },
  {
    what: 'two producers in step',
    events: [{ type: 'alternate', count: 4, every: 1, ms: 0 }],
    resets: 4,
  },
  {
    what: 'two producers 200 ms apart',
    events: [{ type: 'alternate', count: 12, every: 3, ms: 200 }],
    resets: 4,
  },
  {
    what: 'two producers an hour apart',
    events: [{ type: 'alternate', count: 5, every: 1, ms: -3_600_000 }],
    resets: 6,
  },
  {
    what: 'new parameters each fragment',
    inMedia: true,
    events: [{ type: 'codec-private-data', changes: 6 }],
    resets: 6,
  },
  {
    what: 'giants',
    inMedia: true,
    events: [{ type: 'giant', count: 2, bytes: 2_000_000 }],
    resets: 0,
  },
  { what: 'all 500 for a while', faults: [{ kind: 'status', status: 500, times: 6 }], resets: 0 },
  { what: 'web pages', faults: [{ kind: 'html', status: 200, times: 4 }], resets: 0 },
  { what: 'resets', faults: [{ kind: 'reset', times: 4 }], resets: 0 },
  { what: 'half bodies', inMedia: true, faults: [{ kind: 'truncate', times: 4 }], resets: 0 },
  { what: 'noise', inMedia: true, faults: [{ kind: 'garbage', times: 4 }], resets: 0 },
  { what: 'nothing', faults: [{ kind: 'empty', times: 4 }], resets: 0 },
  { what: 'slow bodies', faults: [SLOW], resets: 0 },
]

interface Row extends BoardRow {
  readonly guarantee: 'G4' | 'G12'
  readonly trouble: Trouble
}

const rowsOf = (containerFormat: (typeof CONTAINERS)[number]): readonly Row[] =>
  TROUBLES.filter(
    ({ inMedia }, i) => inMedia === true || CONTAINERS[i % CONTAINERS.length] === containerFormat,
  ).map((trouble) => ({
    name: trouble.what.replaceAll(' ', '-'),
    camera: { clip: 'av-360p' },
    settings: trouble.settings ?? {},
    tolerances: trouble.tolerances ?? {},
    guarantee: trouble.faults === undefined ? 'G4' : 'G12',
    kvs: { containerFormat },
    trouble,
  }))

async function strike({ world }: Board, { name, trouble }: Row): Promise<void> {
  const camera = cameraOf(name)
  const { events = [], later = [], faults = [] } = trouble
  for (const event of events) world.control.order(camera, event)
  for (const [afterMs, event] of later) {
    world.control.order(camera, event, world.clock.now() + afterMs)
  }
  for (const fault of faults) world.control.addFault(camera, fault)
}

describe.each(CONTAINERS)('LIVE, %s', (container) => {
  const rows = rowsOf(container)
  let board: Board

  beforeAll(async () => {
    board = await startBoard(rows)
    await board.pass(12_000)
    for (const row of rows) await strike(board, row)
    await board.pass(35_000)
  })
  afterAll(() => board[Symbol.asyncDispose]())

  test.each(rows)('$guarantee: $trouble.what', async ({ name, trouble }) => {
    const verdict = await board.verdict(name)
    expect(verdict).toMatchObject({ faults: [], missed: 0, discontinuities: trouble.resets })
    expect(Object.keys(verdict.decoded)).not.toEqual([])
    // Whoever tolerates a step gets one.
    const continuous =
      trouble.tolerances === undefined ? { warnings: [], gaps: [] } : { warnings: [] }
    for (const rendition of Object.values(verdict.decoded)) {
      expect(rendition).toMatchObject(continuous)
    }
    const { state } = await board.world.admin.stream(name)
    expect(state).toBe('live')
  })
})
