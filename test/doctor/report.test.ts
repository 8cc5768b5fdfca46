import { expect, test } from 'vitest'
import { fine, found } from '../../src/doctor/diagnosis/finding.ts'
import type { Examination } from '../../src/doctor/doctor.ts'
import { reportLines, reportOf, reportSchema } from '../../src/doctor/report.ts'

const examination = (...findings: ReturnType<typeof fine>[]): Examination => ({
  streams: [{ name: 'lobby', findings, observations: undefined }],
  patterns: [],
  tookMs: 4200,
})

const WELL = fine('stream', 'ACTIVE')
const WARNED = found('fragments', 'long_gop', '20 s long')
const FAILED = found('retention', 'no_retention', 'it keeps nothing')

test('one line tells of one check, and below it stands what to do', () => {
  const [name, well, failed, todo, , sum] = reportLines(examination(WELL, FAILED))
  expect(name).toBe('lobby')
  expect(well).toBe('  ok    stream           ACTIVE')
  expect(failed).toBe('  fail  retention        it keeps nothing')
  expect(todo).toMatch(/^ {25}→ HLS needs/)
  expect(sum).toBe('1 failed: start with “retention” of lobby (looked at 1 source in 4 s)')
})

test('what fails comes before what only warns', () => {
  expect(reportLines(examination(WARNED, FAILED)).at(-1)).toMatch(
    /^1 failed, 1 warning: start with “retention”/,
  )
  expect(reportLines(examination(WARNED)).at(-1)).toMatch(/^1 warning: start with “fragments”/)
  expect(reportLines(examination(WELL)).at(-1)).toMatch(/^all is well/)
})

test('no line is longer than the terminal is wide', () => {
  const lines = reportLines(examination(WELL, WARNED, FAILED), { columns: 90 })
  expect(lines.filter((line) => line.length > 90)).toEqual([])
  expect(lines.filter((line) => line.startsWith(' '.repeat(25))).length).toBeGreaterThan(4)
})

test('colours are for eyes alone', () => {
  const coloured = reportLines(examination(FAILED), { isColoured: true }).join('\n')
  expect(coloured).toContain('\u001b[31mfail')
  expect(reportLines(examination(FAILED)).join('\n')).not.toContain('\u001b')
})

test('the document has the worst of all findings', () => {
  expect(reportSchema.parse(reportOf(examination(WELL))).result).toBe('ok')
  expect(reportSchema.parse(reportOf(examination(WELL, WARNED))).result).toBe('warn')
  expect(reportSchema.parse(reportOf(examination(WARNED, FAILED))).result).toBe('fail')
})
