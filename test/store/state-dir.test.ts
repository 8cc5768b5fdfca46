import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openStateDir } from '../../src/store/state-dir.ts'

let dir = ''
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'kvs-state-'))
})
afterEach(() => rm(dir, { recursive: true, force: true }))

test('its folders are made, and nothing is left in them', async () => {
  const { fragments, timelines, journals } = await openStateDir(join(dir, 'state'))
  const folders = [fragments, timelines, journals]
  expect(folders.map((folder) => folder.slice(dir.length))).toEqual([
    '/state/fragments',
    '/state/timelines',
    '/state/dvr',
  ])
  for (const folder of folders) expect(await readdir(folder)).toEqual([])
})

test.each(['state', 'state/timelines'])('what is in the way is named: %s', async (name) => {
  await openStateDir(join(dir, 'state'))
  await rm(join(dir, name), { recursive: true })
  await writeFile(join(dir, name), 'no folder')
  await expect(openStateDir(join(dir, 'state'))).rejects.toThrow(
    /^cache\.dir: \S+\/state\/\w+ cannot be used: E(NOTDIR|EXIST)/,
  )
})
