import { appendFile, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { silentLog } from '../../src/base/log.ts'
import { FileJournals } from '../../src/store/file-journals.ts'
import { journalsContract } from '../contract/journals.ts'

let dir = ''
const events: string[] = []
const say = (event: string): void => void events.push(event)
const log = { debug: say, info: say, warn: say, error: say }
const journals = (): FileJournals => new FileJournals(join(dir, 'dvr'), log)

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'kvs-journals-'))
  events.length = 0
})
afterEach(() => rm(dir, { recursive: true, force: true }))

journalsContract('FileJournals', () =>
  Promise.resolve(() => new FileJournals(join(dir, 'dvr'), silentLog)),
)

async function file(): Promise<string> {
  const [folder = ''] = await readdir(join(dir, 'dvr'))
  return join(dir, 'dvr', folder, '7.jsonl')
}

test('half a line counts as never written, and does not spoil the next', async () => {
  await journals().append('lobby', 7, ['a', 'b'])
  await appendFile(await file(), '{"half')
  expect(await journals().load('lobby')).toEqual([{ number: 7, lines: ['a', 'b'] }])
  await journals().append('lobby', 7, ['c'])
  expect(await journals().load('lobby')).toEqual([{ number: 7, lines: ['a', 'b', 'c'] }])
})

test('a disk that refuses is told of once, and again when it works', async () => {
  await writeFile(join(dir, 'dvr'), 'in the way')
  const broken = journals()
  await broken.append('lobby', 1, ['a'])
  await broken.append('lobby', 1, ['b'])
  await rm(join(dir, 'dvr'))
  await broken.append('lobby', 1, ['c'])
  expect(events).toEqual(['journal cannot be written', 'journals can be written again'])
})

test('a folder that cannot be read is not taken for an empty one', async () => {
  await writeFile(join(dir, 'dvr'), 'in the way')
  expect(await journals().load('lobby')).toEqual([])
  await journals().keepOnly([])
  expect(events).toEqual(['journals cannot be listed', 'journals cannot be listed'])
})
