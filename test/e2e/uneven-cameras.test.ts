import { afterAll, beforeAll, expect, test } from 'vitest'
import type { CameraConfigInput } from '../../src/emulator/config.ts'
import { type Board, startBoard } from './support/board.ts'

/** How many pictures a fragment has, where all have as many. */
type Row = readonly [title: string, camera: CameraConfigInput, pictures: number | undefined]

const UNEVEN = [40, 400, 60, 150, 250, 90, 310]
/** Cameras whose pictures come when something moves, or once a second; packers guess how long each fragment's last one lasts. */
const ROWS: readonly Row[] = [
  ['even steps (control)', { clip: 'av-360p' }, 25],
  ['steps of 40 to 400 ms', { clip: 'av-360p', frameStepsMs: UNEVEN }, 7],
  [
    'steps of 40 to 400 ms in fragments of any length',
    { clip: 'av-360p-irregular', frameStepsMs: UNEVEN },
    undefined,
  ],
  [
    'steps of 40 to 400 ms, without sound, on another base in each session',
    { clip: 'video-only', frameStepsMs: UNEVEN.map((ms) => ms + 30), tfdtBase: 'session' },
    undefined,
  ],
  ['one picture a second', { clip: 'av-360p', frameStepsMs: [1000] }, 1],
  [
    'one picture a second, two of them in a fragment, without sound',
    { clip: 'video-only', frameStepsMs: [1000] },
    2,
  ],
]

let board: Board

beforeAll(async () => {
  // A first picture begins where the guess before it ends.
  const tolerances = { renditionsMs: Math.max(...UNEVEN) }
  board = await startBoard(
    ROWS.map(([name, camera]) => ({ name: nameOf(name), camera, kvs: {}, tolerances })),
  )
  await board.pass(12_000)
  await board.rollOver(ROWS.map(([name]) => nameOf(name)))
  await board.pass(10_000)
})
afterAll(() => board[Symbol.asyncDispose]())

test.each(ROWS)(
  'G2, G4: %s: no discontinuity, and no picture is lost',
  async (name, _, pictures) => {
    const verdict = await board.verdict(nameOf(name))
    expect(verdict).toMatchObject({ faults: [], discontinuities: 0, missed: 0 })
    const { video } = verdict.decoded
    expect(video).toMatchObject({ warnings: [], runs: 1 })
    if (pictures !== undefined) expect(video?.frames).toBe(pictures * verdict.segments)
    expect(verdict.segments).toBeGreaterThan(6)
  },
)

function nameOf(title: string): string {
  return title
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '')
}
