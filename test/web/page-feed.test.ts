import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { NO_REACH } from '../../src/streams/stream.ts'
import { feedPause, followFeed } from '../../src/web/pages/feed.js'
import { Refused } from '../../src/web/pages/refusal.js'

type Answer = Awaited<ReturnType<Parameters<typeof followFeed>[0]['read']>>
type State = Answer['streams'][number]['state']

function answer(...states: State[]): Answer {
  const rest = {
    reason: null,
    since: 0,
    source: null,
    lastFragmentAt: null,
    targetDuration: null,
    renditions: [],
    past: NO_REACH,
  }
  return {
    now: 0,
    version: 'v',
    streams: states.map((state, i) => ({ name: `${i}`, state, ...rest })),
  }
}

/** Follows a feed that gives these answers in turn, and tells the pauses between them. */
async function pausesOver(answers: readonly (Answer | Error)[]): Promise<number[]> {
  const stop = new AbortController()
  const pauses: number[] = []
  let open = 0
  let asked = 0
  await followFeed(
    {
      read: async () => {
        open += 1
        expect(open).toBe(1)
        await Promise.resolve()
        open -= 1
        const next = answers[asked]
        asked += 1
        if (next === undefined || next instanceof Error) throw next ?? new Error('no more')
        return next
      },
      sleep: async (ms) => {
        pauses.push(ms)
        if (pauses.length === answers.length) stop.abort()
      },
      onAnswer: () => {},
      onTrouble: () => {},
      now: () => 0,
      random: () => 1,
    },
    stop.signal,
  )
  return pauses
}

describe('a page’s feed', () => {
  test('asks who is refused no more than once a minute, until he is let in again', async () => {
    const refused = new Refused('expired')
    expect(await pausesOver([answer('live'), refused, refused, answer('live')])).toEqual([
      2000, 60_000, 60_000, 2000,
    ])
  })

  test('asks calmly, sooner while a camera is lost, and often while one starts', async () => {
    const starting = [answer('idle', 'live'), answer('starting', 'offline')]
    const lost = [answer('live', 'stale'), answer('offline')]
    const calm = [answer('live', 'failed'), answer()]
    expect(await pausesOver([...starting, ...lost, ...calm])).toEqual([
      500, 500, 1000, 1000, 2000, 2000,
    ])
  })

  test('asks ever less while nobody answers, and is back at once after', async () => {
    const down = new Error('refused')
    expect(await pausesOver([down, down, down, down, answer('live')])).toEqual([
      2000, 4000, 5000, 5000, 2000,
    ])
  })

  test('ends when the page does', async () => {
    const stop = new AbortController()
    stop.abort()
    const never = (): never => {
      throw new Error('asked')
    }
    const ports = { read: never, sleep: never, onAnswer: never, onTrouble: never }
    await followFeed({ ...ports, now: () => 0, random: () => 0 }, stop.signal)
  })

  test('walls of one building drift apart', () => {
    fc.assert(
      fc.property(
        fc.nat(50),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (failures, chance) => {
          const pause = feedPause([], failures, () => chance)
          expect(pause).toBeGreaterThanOrEqual(1500)
          expect(pause).toBeLessThan(5000)
        },
      ),
    )
    expect(feedPause([], 0, () => 0)).not.toBe(feedPause([], 0, () => 0.9))
  })
})
