import { expect, test } from 'vitest'
import { cameraOf } from '../support/world.ts'
import { type Stage, startStage } from './support/stage.ts'

/** The undocumented base of a session's tfdt, and the clock; table.test.ts has them with everything else. */
const MEDIA_TIMES = [
  ['epoch', 'SERVER_TIMESTAMP'],
  ['session', 'PRODUCER_TIMESTAMP'],
  ['fragment', 'SERVER_TIMESTAMP'],
] as const

test.each(MEDIA_TIMES)(
  'G2: tfdt from %s, %s: roll-overs by order and by revocation leave no trace',
  async (tfdtBase, fragmentSelectorType) => {
    await using stage = await startStage({
      cameras: { lobby: { clip: 'av-360p', tfdtBase } },
      defaults: { kvs: { fragmentSelectorType } },
    })
    await stage.pass(15_000)
    await stage.rollOver()
    await stage.pass(15_000)
    stage.world.control.revoke(cameraOf())
    await stage.pass(15_000)
    await stage.rollOver()
    // The next session is open and has yet to be proved: both are lost.
    await stage.pass(700)
    stage.world.control.revoke(cameraOf())
    await stage.pass(15_000)
    await expectNoTrace(stage, ['api', 'lost', 'lost', 'lost'])
  },
)

test('G2: a roll-over by schedule leaves no trace', async () => {
  const lobby = { clip: 'av-360p-irregular', tfdtBase: 'session' } as const
  await using stage = await startStage({
    cameras: { lobby },
    defaults: { kvs: { expires: '5m' } },
  })
  await stage.pass(270_000)
  await expectNoTrace(stage, ['schedule'])
})

async function expectNoTrace(stage: Stage, causes: readonly string[]): Promise<void> {
  const verdict = await stage.verdict()
  const seamless = { warnings: [], gaps: [], runs: 1 }
  const decoded = { video: seamless, audio: seamless }
  expect(verdict).toMatchObject({ faults: [], discontinuities: 0, missed: 0, decoded })
  expect(rollovers(stage)).toEqual(causes)
}

function rollovers({ world }: Stage): readonly unknown[] {
  return world.lines
    .filter(({ event }) => event === 'session rolled over')
    .map(({ fields }) => fields['cause'])
}
