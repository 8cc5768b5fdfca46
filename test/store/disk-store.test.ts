import { mkdir, mkdtemp, readdir, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, expect, test } from 'vitest'
import { silentLog } from '../../src/base/log.ts'
import { contentId } from '../../src/store/content-id.ts'
import { diskPlace } from '../../src/store/disk-path.ts'
import { DiskStore } from '../../src/store/disk-store.ts'
import { type FragmentKey, publishedKey, recordedKey } from '../../src/store/fragment-key.ts'
import type { Hold } from '../../src/store/fragment-tier.ts'
import { fragmentTierContract, readTier, wholeTier } from '../contract/fragment-tier.ts'

const dirs: string[] = []
afterEach(async () => {
  for (const dir of dirs.splice(0)) await rm(dir, { recursive: true, force: true })
})

async function freshDir(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'disk-store-'))
  dirs.push(dir)
  return dir
}

const keyOf = (stream: string, msn: number, bytes: Buffer): FragmentKey =>
  publishedKey(stream, 'video', msn, contentId(bytes))

fragmentTierContract('DiskStore', async (maxBytes) =>
  wholeTier(await DiskStore.open({ dir: await freshDir(), maxBytes, log: silentLog })),
)

const bytes = Buffer.from('a fragment')
const key = keyOf('lobby', 7, bytes)

/** The one file that a store of one fragment has made. */
async function onlyFile(dir: string): Promise<string> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true })
  const [file, ...others] = entries.filter((entry) => entry.isFile())
  expect(others).toEqual([])
  return join(file?.parentPath ?? '', file?.name ?? '')
}

test('G6: what was written before a crash is found after it, half-written drafts are not', async () => {
  const dir = await freshDir()
  const options = { dir, maxBytes: 1000, log: silentLog }
  await (await DiskStore.open(options)).put(key, bytes, 'listed')
  await writeFile(join(dir, 'abc.draft'), 'half a fra')

  const next = await DiskStore.open(options)
  expect(await readTier(next, key)).toEqual(bytes)
  expect(next.bytes).toBe(bytes.length)
  await onlyFile(dir)
})

test.each([
  ['in one run', false],
  ['after a restart', true],
])(
  'what is spare takes room that is left, and is the first to give it back: %s',
  async (_, restarts) => {
    const options = { dir: await freshDir(), maxBytes: 300, log: silentLog }
    const files = [0, 1, 2, 3, 4].map((msn) => {
      const content = Buffer.alloc(100, `fragment ${msn}`)
      return { key: keyOf('lobby', msn, content), content }
    })
    const put = async (of: DiskStore, at: number, hold: Hold = 'listed'): Promise<void> => {
      const { key: name, content } = files[at] ?? { key, content: bytes }
      await of.put(name, content, hold)
    }
    let store = await DiskStore.open(options)
    await put(store, 0)
    await put(store, 1, 'spare')
    await put(store, 2)
    await put(store, 3, 'spare')
    if (restarts) store = await DiskStore.open(options)
    await put(store, 4)

    const found = await Promise.all(files.map(async ({ key: name }) => await readTier(store, name)))
    expect(found.map((each) => each !== undefined)).toEqual([true, false, true, false, true])
  },
)

test('what was made of the past is found after a restart, and is the first to go', async () => {
  const options = { dir: await freshDir(), maxBytes: 300, log: silentLog }
  const past = [0, 1, 2, 3].map((i) => ({
    key: recordedKey('lobby', 'video', BigInt(i), 'from-1767225600000'),
    content: Buffer.alloc(100, `fragment ${i}`),
  }))
  const store = await DiskStore.open(options)
  for (const { key: name, content } of past) await store.put(name, content, 'none')
  await store.put(keyOf('lobby', 1, past[0]?.content ?? bytes), past[0]?.content ?? bytes, 'listed')

  const next = await DiskStore.open(options)
  await next.keepOnly({ keys: [], streams: ['lobby'] })
  const found = await Promise.all(past.map(async ({ key: name }) => await readTier(next, name)))
  expect(found).toEqual([undefined, undefined, past[2]?.content, past[3]?.content])
  expect(next.bytes).toBe(200)
  await next.put(keyOf('lobby', 2, bytes), bytes, 'listed')
  await next.keepOnly({ keys: [], streams: ['yard'] })
  expect(next.bytes).toBe(0)
})

test('G12: a file of the past that was overwritten is not served', async () => {
  const dir = await freshDir()
  const store = await DiskStore.open({ dir, maxBytes: 1000, log: silentLog })
  const past = recordedKey('lobby', 'video', 7n, 'fetched')
  await store.put(past, bytes, 'none')
  await writeFile(await onlyFile(dir), 'b fragment')
  expect(await readTier(store, past)).toBeUndefined()
  expect(store.bytes).toBe(0)
})

test('a directory of an earlier release is taken over', async () => {
  const dir = await freshDir()
  const { folder } = diskPlace(key)
  await mkdir(join(dir, folder), { recursive: true })
  await writeFile(join(dir, folder, `7-${contentId(bytes)}.m4s`), bytes)
  const store = await DiskStore.open({ dir, maxBytes: 1000, log: silentLog })
  expect(await readTier(store, key)).toEqual(bytes)
})

test.each([
  ['cut short', (file: string) => truncate(file, 3)],
  ['overwritten', (file: string) => writeFile(file, 'b fragment')],
])('G12: a file that was %s is not served, and goes', async (_, damage) => {
  const dir = await freshDir()
  const store = await DiskStore.open({ dir, maxBytes: 1000, log: silentLog })
  await store.put(key, bytes, 'listed')
  await damage(await onlyFile(dir))

  expect(await readTier(store, key)).toBeUndefined()
  expect(await readdir(dir, { recursive: true })).toHaveLength(2)
  expect(store.bytes).toBe(0)
})

test('a disk that fails loses fragments, says so once, and throws nothing', async () => {
  const dir = await freshDir()
  const file = join(dir, 'not-a-folder')
  await writeFile(file, '')
  const warnings: string[] = []
  const log = { ...silentLog, warn: (event: string) => void warnings.push(event) }
  const store = await DiskStore.open({ dir: file, maxBytes: 1000, log })
  await store.put(key, bytes, 'listed')
  await store.put(keyOf('lobby', 8, bytes), bytes, 'listed')

  expect(await readTier(store, key)).toBeUndefined()
  expect(warnings).toEqual(['disk cache fails'])
  expect(store.bytes).toBe(0)
})

test('a disk that is full is said to fail once, though what it has is read', async () => {
  const dir = await freshDir()
  const told: string[] = []
  const note = (event: string): void => void told.push(event)
  const log = { ...silentLog, warn: note, info: note }
  const store = await DiskStore.open({ dir, maxBytes: 1000, log })
  await store.put(key, bytes, 'listed')
  // Nothing can be written where a folder would have to be.
  await writeFile(
    join(
      dir,
      diskPlace(keyOf('yard', 1, bytes))
        .folder.split('/', 1)
        .join(),
    ),
    '',
  )
  for (let msn = 1; msn <= 3; msn += 1) {
    await store.put(keyOf('yard', msn, bytes), bytes, 'listed')
    expect(await readTier(store, key)).toEqual(bytes)
  }
  expect(told).toEqual(['disk cache fails'])
})

test('what no timeline lists any more can be removed in one go', async () => {
  const dir = await freshDir()
  const store = await DiskStore.open({ dir, maxBytes: 1000, log: silentLog })
  await store.put(key, bytes, 'listed')
  await store.put(keyOf('lobby', 6, bytes), bytes, 'listed')
  await store.keepOnly({ keys: [key], streams: [] })
  expect(await readTier(store, key)).toEqual(bytes)
  expect(store.bytes).toBe(bytes.length)
  await onlyFile(dir)
})

test('G17: whatever a stream is called, its files stay below the directory and apart', () => {
  const name = fc.stringMatching(/^[A-Za-z0-9_.-]{1,256}$/)
  fc.assert(
    fc.property(fc.uniqueArray(name, { minLength: 2, maxLength: 2 }), (names) => {
      const folders = names.map((stream) => diskPlace(publishedKey(stream, 'video', 1, 'x')).folder)
      for (const folder of folders) {
        expect(folder).toMatch(/^[A-Za-z0-9_-]{1,64}~[0-9a-f]{16}\/video$/)
      }
      expect(folders[0]).not.toBe(folders[1])
    }),
  )
  expect(() => diskPlace(publishedKey('../etc', 'video', 1, 'x'))).toThrow('not a fragment key')
  expect(() => diskPlace(publishedKey('lobby', 'video', 1, '../../x'))).toThrow(
    'not a fragment key',
  )
})
