import { CAUSES, type CauseCode, type Level } from './causes.ts'

/** What is looked at, in the order in which it is told. */
export const CHECKS = [
  'credentials',
  'clock',
  'control host',
  'stream',
  'permissions',
  'retention',
  'data host',
  'newest fragment',
  'fragments',
  'timestamps',
  'session',
  'tracks',
  'playlist',
  'media',
  'KVS facts',
  'quota',
  'cost',
  'origin',
  'time',
] as const

export type CheckName = (typeof CHECKS)[number]

/** One line of the report. */
export interface Finding {
  readonly check: CheckName
  readonly level: Level
  /** What is wrong, for scripts; `ok` where nothing is. */
  readonly code: CauseCode | 'ok'
  /** What was seen, for people. */
  readonly seen: string
  /** What to do; absent where nothing is wrong. */
  readonly todo?: string
}

export function fine(check: CheckName, seen: string): Finding {
  return { check, level: 'ok', code: 'ok', seen }
}

/** @param words that stand for what the cause’s order leaves open */
export function found(
  check: CheckName,
  code: CauseCode,
  seen: string,
  words: Readonly<Record<string, string>> = {},
): Finding {
  const { level, todo } = CAUSES[code]
  const filled = Object.entries(words).reduce(
    (text, [word, value]) => text.replaceAll(word, value),
    todo as string,
  )
  return { check, level, code, seen, todo: filled }
}
