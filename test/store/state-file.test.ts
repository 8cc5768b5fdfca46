import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { appendStateFile, readStateFile, writeStateFile } from '../../src/store/state-file.ts'

let dir = ''
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'kvs-state-'))
})
afterEach(() => rm(dir, { recursive: true, force: true }))

const modeOf = async (path: string): Promise<number> => (await stat(path)).mode & 0o777

test('files and folders are for their owner alone', async () => {
  const [written, appended] = [join(dir, 'a/b/written'), join(dir, 'c/appended')]
  await writeStateFile(written, 'x')
  await appendStateFile(appended, 'y')
  await appendStateFile(appended, 'z')
  expect(await readFile(appended, 'utf8')).toBe('yz')
  expect([await modeOf(written), await modeOf(appended)]).toEqual([0o600, 0o600])
  expect([await modeOf(join(dir, 'a')), await modeOf(join(dir, 'c'))]).toEqual([0o700, 0o700])
})

test('where no folder can be made that is said, instead of trying for ever', async () => {
  await symlink(join(dir, 'unmounted'), join(dir, 'link'))
  await writeFile(join(dir, 'file'), 'x')
  await expect(writeStateFile(join(dir, 'link/a/b'), 'x')).rejects.toThrow('ENOENT')
  await expect(writeStateFile(join(dir, 'file/a'), 'x')).rejects.toThrow('EEXIST')
})

test.each<[string, (path: string) => Promise<unknown> | Buffer]>([
  ['a pipe', (path) => execFileSync('mkfifo', [path])],
  ['a folder', (path) => mkdir(path)],
  ['a link', (path) => symlink('/dev/zero', path)],
  [
    'a link to a file',
    async (path) => writeFile(`${path}-x`, 'x').then(() => symlink(`${path}-x`, path)),
  ],
])('%s in place of a file is refused at once', async (_, make) => {
  const path = join(dir, 'odd')
  await make(path)
  await expect(readStateFile(path, 100)).rejects.toThrow(/regular file|ELOOP|EISDIR/)
  await expect(appendStateFile(path, 'x')).rejects.toThrow(/regular file|ELOOP|EISDIR|ENXIO/)
})

test('more than may be is not read', async () => {
  await writeStateFile(join(dir, 'large'), Buffer.alloc(101))
  await expect(readStateFile(join(dir, 'large'), 100)).rejects.toThrow('101 bytes are too many')
})
