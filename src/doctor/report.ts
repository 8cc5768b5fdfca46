import { styleText } from 'node:util'
import { z } from 'zod'
import { packageVersion } from '../base/version.ts'
import { CAUSES, type CauseCode } from './diagnosis/causes.ts'
import { CHECKS, type Finding } from './diagnosis/finding.ts'
import { counted } from './diagnosis/numbers.ts'
import type { Diagnosis, Examination } from './doctor.ts'

const codes = ['ok', ...(Object.keys(CAUSES) as CauseCode[])] as const

/** What `--json` prints. Its fields stay; codes and checks may be added. */
export const reportSchema = z.strictObject({
  program: z.string().describe('The version of kvs-hls-gateway.'),
  result: z.enum(['ok', 'warn', 'fail']).describe('The worst of all findings.'),
  tookMs: z.int(),
  streams: z.array(
    z.strictObject({
      name: z.string().describe('The public name, with “(backup)” for a stream’s second source.'),
      findings: z.array(
        z.strictObject({
          check: z.enum(CHECKS),
          level: z.enum(['ok', 'warn', 'fail']),
          code: z.enum(codes).describe('The cause, for scripts; `ok` where nothing is wrong.'),
          seen: z.string().describe('What was seen, for people.'),
          todo: z.string().optional().describe('What to do, for people.'),
        }),
      ),
    }),
  ),
  notLookedAt: z.array(z.string()).describe('Patterns of streams, whose names nobody knows.'),
})

export type Report = z.infer<typeof reportSchema>

export function reportOf({ streams, patterns, tookMs }: Examination): Report {
  const levels = streams.flatMap(({ findings }) => findings.map(({ level }) => level))
  return {
    program: packageVersion(),
    result: (['fail', 'warn'] as const).find((level) => levels.includes(level)) ?? 'ok',
    tookMs,
    streams: streams.map(({ name, findings }) => ({ name, findings: [...findings] })),
    notLookedAt: [...patterns],
  }
}

/** Texts are not broken narrower than this, however narrow the terminal. */
const LEAST_ROOM = 40

const COLOURS = { ok: 'green', warn: 'yellow', fail: 'red' } as const

/** How lines are to look. */
export interface Look {
  /** Default: false. */
  readonly isColoured?: boolean
  /** How many characters a line has room for. Default: any number. */
  readonly columns?: number | undefined
}

/** Returns the lines for people. */
export function reportLines(examination: Examination, look: Look = {}): readonly string[] {
  const { streams, patterns } = examination
  const width = Math.max(...CHECKS.map(({ length }) => length))
  return [
    ...streams.flatMap((stream) => [...groupLines(stream, width, look), '']),
    ...patterns.map((pattern) => `not looked at: streams by the pattern ${pattern}`),
    summary(examination),
  ]
}

function groupLines(
  { name, findings }: Diagnosis,
  width: number,
  { isColoured = false, columns = Infinity }: Look,
): readonly string[] {
  return [
    isColoured ? styleText('bold', name, { validateStream: false }) : name,
    ...findings.flatMap(({ check, level, seen, todo }) => {
      const word = level.padEnd(4)
      const mark = isColoured ? styleText(COLOURS[level], word, { validateStream: false }) : word
      const room = Math.max(LEAST_ROOM, columns - width - 10)
      const [first = '', ...rest] = wrapped(seen, room)
      const more = todo === undefined ? [] : wrapped(`→ ${todo}`, room)
      const indent = ' '.repeat(width + 10)
      return [
        `  ${mark}  ${check.padEnd(width)}  ${first}`,
        ...[...rest, ...more].map((line) => `${indent}${line}`),
      ]
    }),
  ]
}

/** Breaks a text between words, so that no line is longer than there is room, unless a word is. */
function wrapped(text: string, room: number): readonly string[] {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const last = lines.at(-1)
    if (last === undefined || last.length + word.length >= room) lines.push(word)
    else lines[lines.length - 1] = `${last} ${word}`
  }
  return lines
}

/** Says how much is wrong, and where to begin: with what comes first, since the rest may follow from it. */
function summary({ streams, tookMs }: Examination): string {
  const all = streams.flatMap(({ name, findings }) =>
    findings.map((finding) => ({ name, finding })),
  )
  const failed = all.filter(({ finding }) => finding.level === 'fail')
  const warned = all.filter(({ finding }) => finding.level === 'warn')
  const first = failed[0] ?? warned[0]
  const took = `looked at ${counted(streams.length, 'source')} in ${Math.round(tookMs / 1000)} s`
  if (first === undefined) return `all is well (${took})`
  const counts = [
    ...(failed.length > 0 ? [`${failed.length} failed`] : []),
    ...(warned.length > 0 ? [counted(warned.length, 'warning')] : []),
  ]
  return `${counts.join(', ')}: start with ${subjectOf(first)} (${took})`
}

function subjectOf({ name, finding }: { name: string; finding: Finding }): string {
  return `“${finding.check}” of ${name}`
}
