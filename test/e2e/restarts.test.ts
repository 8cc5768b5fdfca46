import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { during } from '../support/pace.ts'
import { quiet } from '../support/quiet.ts'
import { cameraOf } from '../support/world.ts'
import { contentOf, type ShownSegment, shown } from './support/shown.ts'
import { discontinuities, restart, type Stage, startStage } from './support/stage.ts'
import { stateDir } from './support/state-dir.ts'

const dir = stateDir()

const CAMERA = { clip: 'av-360p' } as const
const timelineFile = (): string => join(dir(), 'timelines', 'lobby.timeline.json')

/** All that is listed, fetched while time passes. */
function listed({ clock, world }: Stage): Promise<readonly ShownSegment[]> {
  return during(clock, shown(world.watchUrl()))
}

async function expectOneTimeline(stage: Stage, causes: readonly string[] = []): Promise<void> {
  expect(discontinuities(stage)).toEqual(causes)
  const verdict = await stage.verdict()
  // After a gap that is longer than the list, the list shows nothing of what was before.
  expect(verdict).toMatchObject({ faults: [], ...(causes.length === 0 ? { missed: 0 } : {}) })
  const continuous = { warnings: [], ...(causes.length === 0 ? { gaps: [] } : {}) }
  expect(verdict.decoded).toMatchObject({ video: continuous, audio: continuous })
}

/** What a total loss of state cannot keep: old segments. New ones must all the same lie above them. */
async function expectNewTimelineAbove(stage: Stage): Promise<void> {
  const { faults, missed } = await stage.verdict()
  expect(faults.filter(({ kind }) => kind !== 'gone-too-soon')).toEqual([])
  expect(missed).toBe(1)
}

describe('G1: idle, and watched again', () => {
  test.each([
    { awayMs: 9_000, causes: [], what: 'while upstream still lists what follows' },
    { awayMs: 40_000, causes: ['gap'], what: 'after a gap' },
    { awayMs: 120_000, causes: ['gap'], what: 'after so long that the list begins anew' },
  ])('$what', async ({ awayMs, causes }) => {
    const defaults = { idleTimeout: '5s' }
    await using stage = await startStage({ cameras: { lobby: CAMERA }, defaults })
    await stage.pass(20_000)
    stage.watching = false
    await stage.pass(awayMs)
    expect((await stage.world.admin.stream('lobby')).state).toBe('idle')
    stage.watching = true
    await stage.pass(30_000)
    await expectOneTimeline(stage, causes)
  })
})

describe('with a state directory', () => {
  test.each([
    { awayMs: 0, causes: [] },
    { awayMs: 30_000, causes: ['gap'] },
    { awayMs: 3_600_000, causes: ['gap'] },
  ])('G1: a restart that takes $awayMs ms continues the timeline', async ({ awayMs, causes }) => {
    await using stage = await startStage({ cameras: { lobby: CAMERA }, cache: { dir: dir() } })
    await stage.pass(20_000)
    await restart(stage, { awayMs })
    await stage.pass(30_000)
    await expectOneTimeline(stage, causes)
  })

  test('G6: what was listed, or lately was, has the same bytes after a restart', async () => {
    await using stage = await startStage({ cameras: { lobby: CAMERA }, cache: { dir: dir() } })
    await stage.pass(20_000)
    const before = await listed(stage)
    await stage.pass(4_000)
    await restart(stage)
    for (const { url, content } of before) {
      expect(content).toContain(await during(stage.clock, contentOf(url)))
    }
    await expectOneTimeline(stage)
  })

  test('G6: what was listed is served while upstream is down', async () => {
    await using stage = await startStage({ cameras: { lobby: CAMERA }, cache: { dir: dir() } })
    await stage.pass(20_000)
    await restart(stage, {
      meanwhile: async () => stage.world.control.addFault(cameraOf(), { kind: 'refuse' }),
    })
    const all = await listed(stage)
    expect(all.filter(({ content }) => /^200 \w+ 200 /.test(content))).toHaveLength(all.length)
    expect(all.length).toBeGreaterThanOrEqual(12)
    stage.world.control.clearFaults(cameraOf())
    await stage.pass(30_000)
    await expectOneTimeline(stage)
  })

  test.each([
    { tfdtBase: 'epoch' },
    { tfdtBase: 'session', styp: true, sidx: true, moofs: 3 },
    { tfdtBase: 'fragment', tfdtVersion: 0 },
  ] as const)('G6: what the disk lost is fetched again, byte for byte: %o', async (switches) => {
    const lobby = { ...CAMERA, ...switches }
    await using stage = await startStage({ cameras: { lobby }, cache: { dir: dir() } })
    await stage.pass(20_000)
    const before = await listed(stage)
    await restart(stage, {
      meanwhile: () => rm(join(dir(), 'fragments'), { recursive: true }),
    })
    const after = await listed(stage)
    const still = before.filter(({ url }) => after.some((segment) => segment.url === url))
    expect(still.length).toBeGreaterThanOrEqual(10)
    expect(after).toEqual(expect.arrayContaining(still))
    await stage.pass(20_000)
    await expectOneTimeline(stage)
  })

  test('G6: damaged fragments on the disk are not served', async () => {
    await using stage = await startStage({ cameras: { lobby: CAMERA }, cache: { dir: dir() } })
    await stage.pass(20_000)
    const before = await listed(stage)
    await restart(stage, {
      meanwhile: async () => {
        const names = await readdir(join(dir(), 'fragments'), { recursive: true })
        for (const name of names.filter((each) => each.endsWith('.m4s'))) {
          const file = join(dir(), 'fragments', name)
          const bytes = await readFile(file)
          await writeFile(file, bytes.fill(7, bytes.length >> 1))
        }
      },
    })
    const after = await listed(stage)
    const still = before.filter(({ url }) => after.some((segment) => segment.url === url))
    expect(after).toEqual(expect.arrayContaining(still))
    await expectOneTimeline(stage)
  })

  // All other ways are tried with a scripted camera, and what is no JSON in the tests of its reader.
  const damaged: [string, (text: string) => string][] = [
    ['is half', (text) => text.slice(0, text.length / 2)],
    ['has sequence numbers with holes', (text) => text.replace(/"msn":(\d)/, '"msn":1$1')],
  ]
  test.each(damaged)(
    'G1: when the saved timeline %s, a new one begins above it',
    async (_what, damage) => {
      await using stage = await startStage({ cameras: { lobby: CAMERA }, cache: { dir: dir() } })
      await stage.pass(20_000)
      await restart(stage, {
        meanwhile: async () => {
          const text = await readFile(timelineFile(), 'utf8')
          const damagedText = damage(text)
          expect(damagedText).not.toBe(text)
          await writeFile(timelineFile(), damagedText)
        },
      })
      await stage.pass(20_000)
      const errors = stage.world.lines.filter(({ level }) => level === 'error')
      expect(errors).toHaveLength(1)
      expect(errors[0]?.event).toMatch(/^saved timeline/)
      await expectNewTimelineAbove(stage)
    },
  )
})

test('G1: after a total loss of state numbering starts above all that was published', async () => {
  await using stage = await startStage({ cameras: { lobby: CAMERA } })
  await stage.pass(20_000)
  const before = stage.report().lastMsn ?? 0
  await restart(stage)
  await stage.pass(2_000)
  const [first] = await listed(stage)
  expect(first?.msn).toBeGreaterThan(before)
  await stage.pass(20_000)
  await expectNewTimelineAbove(stage)
})

test('G1: a gateway that has closed writes nothing more', async () => {
  await using stage = await startStage({ cameras: { lobby: CAMERA }, cache: { dir: dir() } })
  // Whatever is under way when it is told to close: fetches, writes, nothing.
  for (let turns = 0; turns < 40; turns += 5) {
    await stage.pass(3_000)
    stage.watching = false
    stage.clock.advance(1_000)
    for (let turn = 0; turn < turns; turn += 1) await nextTurn()
    await during(stage.clock, stage.world.stopGateway())
    const saved = await readFile(timelineFile(), 'utf8')
    await quiet()
    expect(await readFile(timelineFile(), 'utf8')).toBe(saved)
    await stage.world.startGateway()
    stage.watching = true
  }
  await expectOneTimeline(stage)
})
