import { expect, test } from 'vitest'
import { Turns } from '../../src/web/pages/turns.js'

interface Picture {
  readonly name: string
  playing: boolean
}

const LOOK_EVERY_MS = 500

function pictures(count: number): Picture[] {
  return Array.from({ length: count }, (_, i) => ({ name: `cam-${i + 1}`, playing: false }))
}

const named = (chosen: ReadonlySet<Picture>): string[] => [...chosen].map(({ name }) => name)

test('all have a player while all may', () => {
  const all = pictures(3)
  expect(named(new Turns<Picture>().choose(all, Number.POSITIVE_INFINITY, 0))).toHaveLength(3)
})

test('the rest has one by turns, one at a time, each until its picture moves', () => {
  const all = pictures(5)
  const turns = new Turns<Picture>()
  const seen: string[] = []
  for (let now = 0; now < 20_000; now += LOOK_EVERY_MS) {
    const chosen = turns.choose(all, 2, now)
    expect(named(chosen).slice(0, 2)).toEqual(['cam-1', 'cam-2'])
    expect(chosen.size).toBeLessThanOrEqual(3)
    const [turn] = named(chosen).slice(2)
    for (const picture of all) picture.playing = picture.name === turn
    if (turn !== undefined && seen.at(-1) !== turn) seen.push(turn)
  }
  expect(seen.slice(0, 6)).toEqual(['cam-3', 'cam-4', 'cam-5', 'cam-3', 'cam-4', 'cam-5'])
})

test('a picture that does not come keeps nobody from his turn, nor does one that left', () => {
  const all = pictures(4)
  const turns = new Turns<Picture>()
  const whose = (now: number, of = all): string | undefined => named(turns.choose(of, 1, now))[1]
  expect(whose(1000)).toBe('cam-2')
  expect(whose(10_500)).toBe('cam-2')
  expect(whose(11_000)).toBeUndefined()
  expect(whose(12_000)).toBe('cam-3')
  const left = all.filter(({ name }) => name !== 'cam-3')
  expect(whose(12_500, left)).toBeUndefined()
  expect(whose(13_500, left)).toBe('cam-2')
})

test('nobody has a turn once all may run again', () => {
  const all = pictures(3)
  const turns = new Turns<Picture>()
  turns.choose(all, 1, 1000)
  expect(named(turns.choose(all, Number.POSITIVE_INFINITY, 1500))).toHaveLength(3)
})
