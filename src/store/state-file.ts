import { randomUUID } from 'node:crypto'
import { constants } from 'node:fs'
import { type FileHandle, mkdir, open, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

const { O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_RDWR, O_WRONLY } = constants

/** What we keep is recordings, and who may see those is not for this machine's other users to say. */
const OWNER_ONLY = { file: 0o600, folder: 0o700 } as const

/**
 * Makes a folder of the state directory, and those above it. Not `recursive`, because that tries for ever where a folder cannot be
 * made though the one above it is there: behind a link that leads nowhere, or below /proc.
 */
export async function makeFolder(folder: string): Promise<void> {
  if (await makeOne(folder)) return
  await makeFolder(dirname(folder))
  if (!(await makeOne(folder))) throw new Error(`ENOENT: ${folder} cannot be made`)
}

/** Makes a folder unless it is there. Returns whether there is one now; if not, the one above it is missing. */
async function makeOne(folder: string): Promise<boolean> {
  try {
    await mkdir(folder, { mode: OWNER_ONLY.folder })
    return true
  } catch (error) {
    if (isCode(error, 'ENOENT') && dirname(folder) !== folder) return false
    const isThere = isCode(error, 'EEXIST') && (await stat(folder)).isDirectory()
    if (isThere) return true
    throw error
  }
}

/** Says whether a file system gave this reason. */
export function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}

/**
 * Reads a file of the state directory.
 * @throws Error when it is larger, or no file of its own: a pipe would be waited on for ever, a link may lead anywhere
 */
export async function readStateFile(path: string, mostBytes: number): Promise<Buffer> {
  const { file: opened, size } = await openRegular(path, O_RDONLY)
  await using file = opened
  if (size > mostBytes) throw new Error(`${size} bytes are too many`)
  return await file.readFile()
}

/** Writes a file beside its place and renames it into it, so that it is whole or absent, whenever the process ends. */
export async function writeStateFile(path: string, data: Buffer | string): Promise<void> {
  const folder = dirname(path)
  const draft = join(folder, `${randomUUID()}.draft`)
  await makeFolder(folder)
  try {
    await writeFile(draft, data, { flag: 'wx', mode: OWNER_ONLY.file })
    await rename(draft, path)
  } catch (error) {
    await rm(draft, { force: true })
    throw error
  }
}

/** Appends to a file, which is made if need be. @throws as {@link readStateFile} */
export async function appendStateFile(path: string, text: string): Promise<void> {
  await makeFolder(dirname(path))
  const { file: opened } = await openRegular(path, O_WRONLY | O_APPEND | O_CREAT)
  await using file = opened
  await file.appendFile(text)
}

/** Cuts a file off behind so many bytes. @throws as {@link readStateFile} */
export async function cutStateFile(path: string, bytes: number): Promise<void> {
  const { file: opened } = await openRegular(path, O_RDWR)
  await using file = opened
  await file.truncate(bytes)
}

async function openRegular(
  path: string,
  flags: number,
): Promise<{ readonly file: FileHandle; readonly size: number }> {
  const file = await open(path, flags | O_NOFOLLOW | O_NONBLOCK, OWNER_ONLY.file)
  const stats = await file.stat()
  if (stats.isFile()) return { file, size: stats.size }
  await file.close()
  throw new Error('it is no regular file')
}
