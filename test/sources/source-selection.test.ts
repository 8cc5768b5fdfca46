import { describe, expect, test } from 'vitest'
import {
  followedIn,
  force,
  type Selection,
  type Signs,
  select,
  shownOf,
} from '../../src/sources/source-selection.ts'

const CAMERA: Selection = { kind: 'camera' }
const BACKUP: Selection = { kind: 'backup' }
const AWAY: Selection = { kind: 'away' }

/** `C` and `B` deliver; `S`: the camera has done so for long. */
function signs(which: string): Signs {
  const has = (letter: string): boolean => which.includes(letter)
  return {
    camera: { delivers: has('C') || has('S'), steady: has('S') },
    backup: { delivers: has('B'), steady: false },
  }
}

describe('which source is shown', () => {
  test.each([
    ['the camera as long as it delivers', CAMERA, 'CB', CAMERA],
    ['none, until the backup has proved itself', CAMERA, '', AWAY],
    ['the backup once it delivers', AWAY, 'B', BACKUP],
    ['the camera that is back before the backup delivers', AWAY, 'C', CAMERA],
    ['the camera rather than the backup', AWAY, 'CB', CAMERA],
    ['none while none delivers', AWAY, '', AWAY],
    ['the backup while the camera is not to be trusted', BACKUP, 'CB', BACKUP],
    ['the camera that has delivered for long', BACKUP, 'SB', CAMERA],
    ['the camera at once when the backup fails', BACKUP, 'C', CAMERA],
    ['none when both fail', BACKUP, '', AWAY],
  ] as const)('%s', (_what, before, which, after) => {
    expect(select(before, signs(which))).toEqual(after)
  })

  test('what an operator has ordered, whatever the sources do', () => {
    const forced = force(CAMERA, 'backup')
    for (const which of ['', 'C', 'B', 'SB']) expect(select(forced, signs(which))).toBe(forced)
    expect(shownOf(forced)).toBe('backup')
  })

  test('what the sources do, when the order is taken back', () => {
    expect(force(force(CAMERA, 'backup'), undefined)).toEqual(BACKUP)
    expect(force(force(BACKUP, 'camera'), undefined)).toEqual(CAMERA)
    expect(force(AWAY, undefined)).toBe(AWAY)
  })
})

test('the backup is asked for nothing while the camera is shown or ordered', () => {
  expect(followedIn(CAMERA)).toEqual(['camera'])
  expect(followedIn(force(BACKUP, 'camera'))).toEqual(['camera'])
  expect(followedIn(force(CAMERA, 'backup'))).toEqual(['backup'])
  for (const selection of [BACKUP, AWAY])
    expect(followedIn(selection)).toEqual(['camera', 'backup'])
})
