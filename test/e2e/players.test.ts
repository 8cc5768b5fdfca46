import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { systemClock } from '../../src/base/clock.ts'
import { SOON } from '../support/browser.ts'
import { BROWSERS, openPlayers, type PagePlayer } from '../support/players/browsers.ts'
import type { Seen, Show } from '../support/players/playing.ts'
import { isProgram, type PlayerProgram, runPlayer } from '../support/players/programs.ts'
import { hasTool } from '../support/tools.ts'
import { cameraOf, startWorld, type World } from '../support/world.ts'
import { readLists } from './support/past.ts'

/** What is shown: two things that happen to a live list, two ranges of the past, and a clip. */
const SHOWN = [
  'a roll-over',
  'a gap',
  'a range with a gap',
  'a range with a new encoder',
  'a clip',
] as const
type Shown = (typeof SHOWN)[number]

/** What a player makes of it. */
type Outcome =
  /** Shows what comes behind. */
  | 'goes on'
  /** Plays to the end, and says so. */
  | 'ends'
  /** Does that, with pictures of which its decoder complains. */
  | 'breaks'
  /** Takes the seam for the end. */
  | 'stops'
  /** Is not asked. */
  | '–'

/**
 * Players as npm and Debian have them, those of pages in each browser, and what they make of all that is {@link SHOWN}.
 * ffmpeg, and mpv with it, reads no second init segment of a list; VLC 3 reads what follows a DISCONTINUITY without any.
 * They do the same with KVS's own lists.
 */
const TABLE: readonly (readonly [PagePlayer | PlayerProgram, ...Outcome[]])[] = [
  ['hls.js', 'goes on', 'goes on', 'ends', 'ends', '–'],
  ['Shaka', 'goes on', 'goes on', 'ends', 'ends', '–'],
  ['video.js', 'goes on', 'goes on', 'ends', 'ends', '–'],
  ['itself', '–', '–', '–', '–', 'ends'],
  ['ffmpeg', 'goes on', 'goes on', 'ends', 'breaks', 'ends'],
  ['mpv', 'goes on', 'goes on', 'ends', 'breaks', 'ends'],
  ['gst-launch-1.0', 'goes on', 'goes on', 'ends', 'ends', 'ends'],
  ['vlc', 'goes on', 'stops', 'stops', 'stops', 'ends'],
]

const ROWS = TABLE.flatMap(([player, ...outcomes]) =>
  (isProgram(player) ? [player] : BROWSERS).flatMap((tool) =>
    SHOWN.map((shown, i) => ({
      title: isProgram(player) ? player : `${player} in ${tool}`,
      player,
      tool,
      shown,
      outcome: outcomes[i] ?? '–',
    })),
  ),
).filter(({ outcome }) => outcome !== '–')

type Row = (typeof ROWS)[number]

/** What is played for it: what happens live is shown to all at once. */
const PLAYED = {
  'a roll-over': 'live',
  'a gap': 'live',
  'a range with a gap': 'gap',
  'a range with a new encoder': 'encoder',
  'a clip': 'clip',
} as const satisfies Record<Shown, string>

type Played = (typeof PLAYED)[Shown]

/**
 * So often the clip's sound begins with its picture. Shaka 5.2 cuts all tracks to the shortest one before it moves them
 * to their dates: where sound begins some milliseconds later, and is shorter, it never finds that it is at the end. It
 * does the same with KVS's own lists.
 */
const IN_STEP_MS = 8_000

const GAP_MS = 5_000
/** So much must be seen of what comes behind; and a player's last word may be so old. */
const BEHIND_MS = 1_000
const END_MS = 1_500

let world: World
const running = new AsyncDisposableStack()
/** How far each playback has come. */
const seats = new Map<string, () => Seen>()
/** Dates by which something has been come over, in milliseconds since 1970, as soon as it has happened. */
let behind: Readonly<Record<Shown, Promise<number>>>

beforeAll(async () => {
  const startMs = Math.floor(Date.now() / IN_STEP_MS) * IN_STEP_MS - 75 * IN_STEP_MS
  world = await startWorld({
    clock: systemClock,
    cameras: {
      lobby: { clip: 'av-180p' },
      past: {
        clip: 'av-180p',
        events: [
          { atMs: startMs + 3_000, event: { type: 'stop' } },
          { atMs: startMs + 6_000, event: { type: 'resume' } },
          { atMs: startMs + 19_000, event: { type: 'codec-private-data' } },
        ],
      },
    },
    defaults: { activation: 'always' },
  })
  running.defer(() => world.close())
  const range = (from: number, to: number): string =>
    `?start=${startMs / 1000 + from}&end=${startMs / 1000 + to}`
  const past = world.watchUrl('past')
  const listed = await readLists(world.watchUrl())
  const shows: Readonly<Record<Played, Show>> = {
    live: {
      url: world.watchUrl(),
      originMs: listed.get('video')?.segments[0]?.pdtMs ?? 0,
    },
    gap: { url: past + range(0, 9), originMs: startMs },
    encoder: { url: past + range(16, 22), originMs: startMs + 16_000 },
    clip: { url: `${world.gateway.publicUrl}/clip/past.mp4${range(0, 9)}`, originMs: startMs },
  }
  await start(shows)
  const rolledOver = rollOver()
  behind = {
    'a roll-over': rolledOver,
    'a gap': rolledOver.then(gap),
    'a range with a gap': Promise.resolve(startMs + 9_000 - END_MS),
    'a range with a new encoder': Promise.resolve(startMs + 22_000 - END_MS),
    'a clip': Promise.resolve(startMs + 9_000 - END_MS),
  }
})

afterAll(() => running.disposeAsync())

test.for(ROWS)('$title, $shown: $outcome', async (row, { skip }) => {
  skip(!hasTool(row.tool))
  const behindMs = await behind[row.shown]
  if (row.outcome === 'goes on') {
    await expect.poll(() => seen(row).dateMs, SOON).toBeGreaterThan(behindMs)
  } else {
    await expect.poll(() => seen(row), SOON).toMatchObject({ ended: true })
  }
  const { dateMs = 0, errors } = seen(row)
  expect(dateMs > behindMs).toBe(row.outcome !== 'stops')
  if (row.outcome === 'breaks') expect(errors).not.toEqual([])
  else if (row.outcome !== 'stops') expect(errors).toEqual([])
})

/** Starts all playbacks at once. */
async function start(shows: Readonly<Record<Played, Show>>): Promise<void> {
  const playbacks = new Map(ROWS.map((row) => [nameOf(row), row]))
  for (const [name, { player, shown }] of playbacks) {
    if (!isProgram(player) || !hasTool(player)) continue
    const playing = running.use(runPlayer(player, shows[PLAYED[shown]]))
    seats.set(name, () => playing.seen())
  }
  for (const browser of BROWSERS) {
    if (!hasTool(browser)) continue
    const rows = [...playbacks].flatMap(([name, { player, tool, shown }]) =>
      tool === browser && !isProgram(player) ? [{ name, player, ...shows[PLAYED[shown]] }] : [],
    )
    const page = running.use(await openPlayers(browser, rows))
    for (const { name } of rows) seats.set(name, () => page.seen(name))
  }
}

const nameOf = ({ title, shown }: Row): string => `${title}, ${PLAYED[shown]}`

function seen(row: Row): Seen {
  const look = seats.get(nameOf(row))
  if (look === undefined) throw new Error(`nobody plays ${nameOf(row)}`)
  return look()
}

/** Replaces the session once all play. Resolves to a date that all reach by what comes from the new one. */
async function rollOver(): Promise<number> {
  await allLive(({ dateMs }) => dateMs !== undefined)
  await world.admin.order('lobby', 'rollover')
  await vi.waitFor(async () => {
    expect((await world.admin.stream('lobby')).session?.rollovers).toBe(1)
  }, SOON)
  return Date.now() + BEHIND_MS
}

/** Stops the camera for a while once all have come so far. Resolves to a date that is reached by what comes after. */
async function gap(rolledOverMs: number): Promise<number> {
  await allLive(({ dateMs = 0 }) => dateMs > rolledOverMs)
  const nowMs = Date.now()
  world.control.order(cameraOf(), { type: 'stop' })
  world.control.order(cameraOf(), { type: 'resume' }, nowMs + GAP_MS)
  return nowMs + GAP_MS + BEHIND_MS
}

/** Waits for all that play live. Who does not come so far fails in the test of his own, and is not waited for forever. */
async function allLive(reached: (seen: Seen) => boolean): Promise<void> {
  const rows = ROWS.filter(({ tool, shown }) => shown === 'a roll-over' && hasTool(tool))
  await vi
    .waitFor(() => expect(rows.filter((row) => !reached(seen(row)))).toEqual([]), SOON)
    .catch(() => {})
}
