import { parseArgs } from 'node:util'
import { type BenchReport, table } from './bench-report.ts'

/**
 * `npm run bench`: all of them in turn, or those that are named: `npm run bench -- serving calls`.
 * With `--json`, one report a line for scripts.
 */
const BENCHES: Readonly<Record<string, () => Promise<{ run(): Promise<BenchReport> }>>> = {
  serving: () => import('./serving.ts'),
  viewers: () => import('./viewers.ts'),
  fragment: () => import('./fragment.ts'),
  calls: () => import('./calls.ts'),
  delay: () => import('./delay.ts'),
  'glass-to-glass': () => import('./glass-to-glass.ts'),
  streams: () => import('./streams.ts'),
  'cold-start': () => import('./cold-start.ts'),
  clip: () => import('./clip.ts'),
  dvr: () => import('./dvr.ts'),
  nodes: () => import('./nodes.ts'),
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: 'boolean', default: false } },
})

const unknown = positionals.filter((name) => !Object.hasOwn(BENCHES, name))
if (unknown.length > 0) {
  console.error(`no benchmark ${unknown.join(', ')}; there are ${Object.keys(BENCHES).join(', ')}`)
  process.exit(2)
}

for (const [name, load] of Object.entries(BENCHES)) {
  if (positionals.length > 0 && !positionals.includes(name)) continue
  const report = await (await load()).run()
  console.log(values.json ? JSON.stringify(report) : `${table(report)}\n`)
}
