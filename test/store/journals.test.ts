import { appendFile, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Journals } from '../../src/store/journals.ts'

let dir = ''
const events: string[] = []
const say = (event: string): void => void events.push(event)
const log = { debug: say, info: say, warn: say, error: say }
const journals = (): Journals => new Journals(join(dir, 'dvr'), log)

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'kvs-journals-'))
  events.length = 0
})
afterEach(() => rm(dir, { recursive: true, force: true }))

async function file(): Promise<string> {
  const [folder = ''] = await readdir(join(dir, 'dvr'))
  return join(dir, 'dvr', folder, '7.jsonl')
}

test('what was appended is found by the next process, page by page', async () => {
  await journals().append('..', 10, ['c'])
  await journals().append('..', 9, ['a', 'b'])
  await journals().append('..', 10, ['d'])
  await journals().append('other', 1, ['x'])
  expect(await journals().load('..')).toEqual([
    { number: 9, lines: ['a', 'b'] },
    { number: 10, lines: ['c', 'd'] },
  ])
})

test('half a line counts as never written, and does not spoil the next', async () => {
  await journals().append('lobby', 7, ['a', 'b'])
  await appendFile(await file(), '{"half')
  expect(await journals().load('lobby')).toEqual([{ number: 7, lines: ['a', 'b'] }])
  await journals().append('lobby', 7, ['c'])
  expect(await journals().load('lobby')).toEqual([{ number: 7, lines: ['a', 'b', 'c'] }])
})

test('old pages and other streams’ journals go when they are told to', async () => {
  for (const page of [1, 2, 3]) await journals().append('lobby', page, ['a'])
  await journals().append('other', 1, ['a'])
  await journals().drop('lobby', 3)
  await journals().keepOnly(['lobby'])
  expect(await journals().load('lobby')).toEqual([{ number: 3, lines: ['a'] }])
  expect(await journals().load('other')).toEqual([])
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
