import { expect, test } from 'vitest'
import { ArchivePlaylists } from '../../src/http/archive-playlists.ts'
import type { ArchiveEntry, ArchiveSnapshot } from '../../src/timeline/archive/entry.ts'
import { usedBytes } from '../e2e/support/heap.ts'

const entry = (i: number): ArchiveEntry => ({
  number: BigInt(i),
  dateMs: i * 2_000,
  startMs: i * 2_000,
  discontinuity: false,
  lengths: { video: 2_000 },
  inits: {},
})

const snapshotOf = (entries: readonly ArchiveEntry[]): ArchiveSnapshot => ({
  targetDuration: 2,
  type: 'EVENT',
  ended: false,
  renditions: ['video'],
  entries,
  rates: { peakBitrate: 1, averageBitrate: 1, frameRate: undefined },
})

const LINE = 'x'.repeat(100)
const playlists = () =>
  new ArchivePlaylists({
    multivariant: () => '',
    head: () => 'head\n',
    entries: (entries) => ({
      text: entries.map(({ number }) => `${number} ${LINE}\n`).join(''),
      init: undefined,
    }),
    tail: () => 'tail\n',
  })

const archive = { range: { startMs: 0, endMs: undefined } }

test('G18: a list that grows for an hour takes what its text takes', async () => {
  const rendered = playlists()
  const entries: ArchiveEntry[] = []
  const before = await usedBytes()
  for (let i = 0; i < 1_800; i += 1) {
    entries.push(entry(i))
    await rendered.get(archive, snapshotOf(entries), 'video')
    // Others cut their buffers from the same slabs.
    Buffer.from(LINE.repeat(200))
  }
  const { identity } = await rendered.get(archive, snapshotOf(entries), 'video')
  expect(String(Buffer.concat(identity.body))).toBe(
    `head\n${entries.map(({ number }) => `${number} ${LINE}\n`).join('')}tail\n`,
  )
  expect((await usedBytes()) - before).toBeLessThan(4 * 2 ** 20)
})
