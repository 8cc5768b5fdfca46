import { ContinuityMonitor, type MonitorReport } from './continuity-monitor.ts'

/**
 * `node test/proof/watch.ts URL [URL …]`: follows live multivariant playlists, of this gateway or any other
 * origin, until Ctrl-C, and prints what it found. Exit code 1 when that is a fault.
 */
const urls = process.argv.slice(2)
if (urls.length === 0) {
  console.error('usage: node test/proof/watch.ts URL [URL …]')
  process.exit(2)
}

const interrupt = new AbortController()
process.once('SIGINT', () => interrupt.abort())
process.once('SIGTERM', () => interrupt.abort())

const options = { signal: interrupt.signal, keepBytes: 0 }
const monitors = urls.map((url) => new ContinuityMonitor(url, options))
await Promise.all(monitors.map((monitor) => monitor.follow()))
const reports = monitors.map((monitor) => monitor.report())
for (const report of reports) print(report)
process.exitCode = reports.every(({ total }) => total === 0) ? 0 : 1

function print({ url, segments, discontinuities, total, faults }: MonitorReport): void {
  console.log(`${url}: ${segments} fragments, ${discontinuities} discontinuities, ${total} faults`)
  for (const { atMs, guarantee, kind, rendition = '', msn = '', detail } of faults) {
    const at = new Date(atMs).toISOString()
    console.log(`  ${at} ${guarantee} ${kind} ${rendition} ${msn}: ${detail}`)
  }
}
