import { describe, expect, test } from 'vitest'
import { cameraOf } from '../support/world.ts'
import { type Stage, startStage } from './support/stage.ts'

/** The undocumented base of a session's tfdt times the clock that dates its fragments. */
const MEDIA_TIMES = (['epoch', 'session', 'fragment'] as const).flatMap((tfdtBase) =>
  (['PRODUCER_TIMESTAMP', 'SERVER_TIMESTAMP'] as const).map((selector) => ({ tfdtBase, selector })),
)

describe.each(MEDIA_TIMES)('tfdt from $tfdtBase, $selector', ({ tfdtBase, selector }) => {
  const camera = { clip: 'av-360p', tfdtBase } as const
  const kvs = { fragmentSelectorType: selector }

  async function expectNoTrace(stage: Stage, causes: readonly string[]): Promise<void> {
    const verdict = await stage.verdict()
    const seamless = { warnings: [], gaps: [], runs: 1 }
    expect(verdict).toMatchObject({
      faults: [],
      discontinuities: 0,
      missed: 0,
      decoded: { video: seamless, audio: seamless },
    })
    expect(rollovers(stage)).toEqual(causes)
  }

  test('G2: roll-overs by order and by revocation leave no trace', async () => {
    await using stage = await startStage({ cameras: { lobby: camera }, defaults: { kvs } })
    await stage.pass(15_000)
    await stage.rollOver()
    await stage.pass(15_000)
    stage.world.control.revoke(cameraOf())
    await stage.pass(15_000)
    await stage.rollOver()
    await stage.pass(2_500)
    stage.world.control.revoke(cameraOf())
    await stage.pass(15_000)
    await expectNoTrace(stage, ['api', 'lost', 'api', 'lost'])
  })

  test('G2: roll-overs by schedule leave no trace', async () => {
    const defaults = { kvs: { ...kvs, expires: '5m' } }
    const lobby = { ...camera, clip: 'av-360p-irregular' } as const
    await using stage = await startStage({ cameras: { lobby }, defaults })
    await stage.pass(270_000)
    await expectNoTrace(stage, ['schedule'])
  })
})

function rollovers(stage: Stage): readonly unknown[] {
  return stage.world.lines
    .filter(({ event }) => event === 'session rolled over')
    .map(({ fields }) => fields['cause'])
}
