import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { silentLog } from '../../src/base/log.ts'
import { FileTimelines } from '../../src/store/file-timelines.ts'
import { savedTimelinesContract } from '../contract/saved-timelines.ts'

let dir = ''
const events: string[] = []
const say = (event: string): void => void events.push(event)
const log = { debug: say, info: say, warn: say, error: say }
const timelines = (): FileTimelines => new FileTimelines(join(dir, 'timelines'), log)

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'kvs-timelines-'))
  events.length = 0
})
afterEach(() => rm(dir, { recursive: true, force: true }))

savedTimelinesContract('FileTimelines', () =>
  Promise.resolve(() => new FileTimelines(join(dir, 'timelines'), silentLog)),
)

test('names come with the newest first', async () => {
  for (const stream of ['a', 'b', 'c']) await timelines().save(stream, {})
  for (const [i, stream] of ['b', 'c', 'a'].entries()) {
    await utimes(join(dir, 'timelines', `${stream}.timeline.json`), 1000 - i, 1000 - i)
  }
  expect(await timelines().names(() => true)).toEqual(['b', 'c', 'a'])
})

test('what cannot be read is told, and nothing is made of it', async () => {
  await mkdir(join(dir, 'timelines', 'lobby.timeline.json'), { recursive: true })
  expect(await timelines().load('lobby')).toBeUndefined()
  for (const text of ['', '{"half', '<html>']) {
    await writeFile(join(dir, 'timelines', 'yard.timeline.json'), text)
    expect(await timelines().load('yard')).toBeUndefined()
  }
  expect(events).toEqual(Array(4).fill('saved timeline cannot be read'))
})

test('a folder that cannot be read is not taken for an empty one', async () => {
  await writeFile(join(dir, 'timelines'), 'in the way')
  expect(await timelines().names(() => true)).toEqual([])
  expect(await timelines().load('lobby')).toBeUndefined()
  expect(events).toEqual(['saved timelines cannot be listed', 'saved timeline cannot be read'])
})

test('a disk that refuses is told of once, leaves no draft, and is told of when it works', async () => {
  await mkdir(join(dir, 'timelines', 'lobby.timeline.json'), { recursive: true })
  const broken = timelines()
  await broken.save('lobby', {})
  await broken.save('lobby', {})
  expect(await readdir(join(dir, 'timelines'))).toEqual(['lobby.timeline.json'])
  await rm(join(dir, 'timelines'), { recursive: true })
  await broken.save('lobby', {})
  expect(events).toEqual(['timeline cannot be saved', 'timelines can be saved again'])
})
