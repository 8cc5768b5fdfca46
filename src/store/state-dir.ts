import { randomUUID } from 'node:crypto'
import { chmod, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { isCode, makeFolder, readStateFile, writeStateFile } from './state-file.ts'

const PROBE = Buffer.from('probe')

/** Says where what outlives the process lies below `cache.dir`. */
export interface StateDir {
  readonly fragments: string
  readonly timelines: string
  readonly journals: string
}

/**
 * Makes the folders of a state directory if need be, and tries each, because numbering that could not be read or saved
 * would only show once something has gone wrong.
 * @throws Error that names the folder and says why it cannot be used
 */
export async function openStateDir(dir: string): Promise<StateDir> {
  const folders = {
    fragments: join(dir, 'fragments'),
    timelines: join(dir, 'timelines'),
    journals: join(dir, 'dvr'),
  }
  for (const folder of Object.values(folders)) {
    try {
      await tryFolder(folder)
    } catch (cause) {
      throw new Error(`cache.dir: ${folder} cannot be used: ${reasonOf(cause)}`, { cause })
    }
  }
  return folders
}

/** Says whether a file system reports that there is nothing of that name. */
export function isMissing(error: unknown): boolean {
  return isCode(error, 'ENOENT')
}

async function tryFolder(folder: string): Promise<void> {
  await makeFolder(folder)
  await chmod(folder, 0o700).catch((error: unknown) => {
    // Earlier versions let everybody look in. Where the folder is another user's, that is his to decide.
    if (!isCode(error, 'EPERM')) throw error
  })
  await readdir(folder)
  const probe = join(folder, `${randomUUID()}.draft`)
  try {
    await writeStateFile(probe, PROBE)
    if (!(await readStateFile(probe, PROBE.length)).equals(PROBE))
      throw new Error('it gives other bytes back')
  } finally {
    await rm(probe, { force: true })
  }
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}
