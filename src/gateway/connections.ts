import { readFile } from 'node:fs/promises'
import type { Config } from '../config/config.ts'

/** How many files are not for viewers: listeners, logs, the admin listener's connections, disk and journals. */
const RESERVED = 64
/** How many files a stream needs: playlists and fragments of both tracks, while two sessions overlap. */
const RESERVED_PER_STREAM = 8

/** Returns how many connections the public listener may have: as configured, or what the limit of open files leaves. */
export async function mostConnections({
  limits,
  streams,
  dynamicStreams,
}: Config): Promise<number> {
  if (limits.connections !== undefined) return limits.connections
  const count = dynamicStreams.reduce((sum, { max }) => sum + max, streams.length)
  return affordable(await openFilesLimit(), count)
}

/** Returns how many connections there are files for: half of the files at least, however many streams there are. */
export function affordable(openFiles: number, streams: number): number {
  const reserved = Math.min(openFiles / 2, RESERVED + RESERVED_PER_STREAM * streams)
  return Math.floor(openFiles - reserved)
}

/** Reads the process's soft limit; infinite where the system does not tell. */
async function openFilesLimit(): Promise<number> {
  const limits = await readFile('/proc/self/limits', 'utf8').catch(() => '')
  const soft = /^Max open files\s+(\d+)/m.exec(limits)?.[1]
  return soft === undefined ? Number.POSITIVE_INFINITY : Number(soft)
}
