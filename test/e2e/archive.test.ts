import { describe, expect, test } from 'vitest'
import { startPast } from './support/past.ts'

const SEAMLESS = { warnings: [], gaps: [], runs: 1 }

describe('a range of the past', () => {
  test('G2, G4: plays from its first fragment to its last', async () => {
    await using stage = await startPast({ cameras: { lobby: { clip: 'av-360p' } } })
    const startMs = stage.clock.now() - 600_000
    const url = stage.url(startMs, startMs + 60_000)
    const verdict = await stage.judge(url)
    expect(verdict).toMatchObject({ faults: [], segments: 60, discontinuities: 0, missed: 0 })
    expect(verdict.decoded).toMatchObject({ video: SEAMLESS, audio: SEAMLESS })
    const lists = await stage.lists(url)
    for (const list of lists.values()) {
      expect(list).toMatchObject({ ended: true, mediaSequence: 0, targetDurationS: 1 })
      expect(list.segments[0]?.pdtMs).toBe(startMs)
    }
  })
})
