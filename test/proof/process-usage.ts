import { readFile } from 'node:fs/promises'

export interface ProcessUsage {
  readonly rssBytes: number
  /** User and system time of all threads since the process began, in seconds. */
  readonly cpuSeconds: number
}

/** Linux on every common machine: sysconf(_SC_CLK_TCK). */
const TICKS_PER_SECOND = 100

/** What the kernel says of a process, from /proc. Rejects once it has gone. */
export async function processUsage(pid: number): Promise<ProcessUsage> {
  const [status, stat] = await Promise.all([
    readFile(`/proc/${pid}/status`, 'utf8'),
    readFile(`/proc/${pid}/stat`, 'utf8'),
  ])
  const [, kibibytes] = /^VmRSS:\s+(\d+) kB$/m.exec(status) ?? []
  // The command in brackets may hold spaces; utime and stime are the 14th and 15th field.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const ticks = Number(fields[11]) + Number(fields[12])
  return { rssBytes: Number(kibibytes) * 1024, cpuSeconds: ticks / TICKS_PER_SECOND }
}
