import { parseArgs } from 'node:util'
import { printed, verdict } from './report.ts'
import { soak } from './soak.ts'

/**
 * `npm run soak -- --minutes N [--viewers 200] [--seed S]`: the product as a user runs it, with sessions of
 * five minutes, under random trouble and viewers. Of ten viewers five watch live, two follow the DVR list,
 * two play ranges of the archive and one cuts clips. Lines with `!` are what the gateway has to answer for.
 * Exit code 1 when a viewer or a monitor saw a fault. Ctrl-C ends it early with a report of what there was.
 */
const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '20' },
    viewers: { type: 'string', default: '200' },
    seed: { type: 'string', default: '1' },
  },
})

const interrupt = new AbortController()
process.once('SIGINT', () => interrupt.abort())
process.once('SIGTERM', () => interrupt.abort())

const report = await soak({
  minutes: positive('minutes', values.minutes),
  viewers: positive('viewers', values.viewers),
  seed: Math.trunc(positive('seed', values.seed)),
  signal: interrupt.signal,
  log: (line) => console.error(`${new Date().toISOString()} ${line}`),
})
console.log(printed(report))
process.exitCode = verdict(report).length === 0 ? 0 : 1

function positive(name: string, text: string): number {
  const value = Number(text)
  if (Number.isFinite(value) && value > 0) return value
  console.error(`--${name} must be a positive number, got "${text}"`)
  process.exit(2)
}
