import { parseArgs } from 'node:util'
import { soakNodes } from './nodes.ts'
import { printed, verdict } from './report.ts'
import { soak } from './soak.ts'

/**
 * `npm run soak -- --minutes N [--viewers 200] [--seed S] [--nodes N [--streams 12]]`: the product as a user runs it, with sessions of
 * five minutes, under random trouble and viewers. Of ten viewers five watch live, two follow the DVR list,
 * two play ranges of the archive and one cuts clips. Lines with `!` are what the gateway has to answer for.
 * `--nodes 3`: as many nodes behind a balancer, of which one is killed, stopped or held every half minute; `--streams 4` where the machine is small.
 * Exit code 1 when a viewer or a monitor saw a fault. Ctrl-C ends it early with a report of what there was.
 */
const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '20' },
    viewers: { type: 'string', default: '200' },
    seed: { type: 'string', default: '1' },
    nodes: { type: 'string' },
    streams: { type: 'string', default: '12' },
  },
})

const interrupt = new AbortController()
process.once('SIGINT', () => interrupt.abort())
process.once('SIGTERM', () => interrupt.abort())

const options = {
  minutes: positive('minutes', values.minutes),
  viewers: positive('viewers', values.viewers),
  seed: Math.trunc(positive('seed', values.seed)),
  signal: interrupt.signal,
  log: (line: string) => console.error(`${new Date().toISOString()} ${line}`),
}
const report = await (values.nodes === undefined
  ? soak(options)
  : soakNodes({
      ...options,
      nodes: Math.trunc(positive('nodes', values.nodes)),
      streams: Math.trunc(positive('streams', values.streams)),
    }))
console.log(printed(report))
process.exitCode = verdict(report).length === 0 ? 0 : 1

function positive(name: string, text: string): number {
  const value = Number(text)
  if (Number.isFinite(value) && value > 0) return value
  console.error(`--${name} must be a positive number, got "${text}"`)
  process.exit(2)
}
