import { expect, test } from 'vitest'
import type { FetchedFragment } from '../../src/ingest/fetch-fragment.ts'
import { FragmentQueue } from '../../src/sources/fragment-queue.ts'
import { FragmentJob } from '../../src/sources/job.ts'
import type { FragmentSink } from '../../src/sources/publication.ts'
import { publishedKey } from '../../src/store/fragment-key.ts'
import { MemoryStore } from '../../src/store/memory-store.ts'
import type { ListedFragment } from '../../src/upstream/listed-fragment.ts'
import { SecretUrl } from '../../src/upstream/secret-url.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { during } from '../support/pace.ts'

const URI = new SecretUrl(new URL('https://x.example/fragment'))
const ROOM = 100

/** Fragments of so many bytes each, listed at once, whose answers begin in this order. */
async function publish(sizes: readonly number[], order: readonly number[]) {
  const clock = new ManualClock()
  const store = new MemoryStore({ clock, maxBytes: ROOM })
  const published: number[] = []
  const skipped: number[] = []
  let [held, most, fetches] = [0, 0, 0]
  const sink: FragmentSink = {
    newest: () => undefined,
    begin: (list) => list,
    reserve: (bytes) => store.reserveSpare(bytes),
    publish: async (batch: readonly FetchedFragment[]) => {
      for (const { listed, release } of batch) {
        const bytes = sizes[Number(listed.number)] ?? 0
        release?.()
        store.put(
          publishedKey('lobby', 'video', Number(listed.number), 'x'),
          Buffer.alloc(bytes),
          'listed',
        )
        held -= bytes
        published.push(Number(listed.number))
        await Promise.resolve()
      }
    },
    end: () => Promise.resolve(),
  }
  const trouble = {
    session() {},
    poll() {},
    skipped: (number: bigint) => void skipped.push(Number(number)),
    missing() {},
    lacking() {},
    refused: () => false,
  }
  const { signal } = new AbortController()
  const failed = (error: unknown): never => expect.fail(String(error))
  const options = { clock, sink, trouble, timeBase: 0, published() {}, failed, signal }
  const queue = new FragmentQueue(options)
  sizes.forEach((bytes, i) => {
    const times = { startMs: 0, durationS: 2, discontinuity: undefined }
    const listed: ListedFragment = { ...times, number: BigInt(i), uri: URI, map: undefined }
    const job = new FragmentJob(listed, ['video'], clock.now(), {
      clock,
      before: queue.last,
      reserve: (wanted) => sink.reserve(wanted),
      fetch: async (_playlist, _listed, announced) => {
        fetches += 1
        await clock.sleep(10 * (1 + order.indexOf(i)), signal)
        await announced(bytes)
        held += bytes
        most = Math.max(most, held + store.stats().bytes)
        return []
      },
    })
    queue.add(job)
  })
  queue.publish()
  await during(clock, queue.settle())
  return { published, skipped, most, fetches, left: store.stats() }
}

test('fragments for which there is room are fetched side by side, and published in one go', async () => {
  const { published, fetches } = await publish([10, 10, 10, 10], [0, 1, 2, 3])
  expect(published).toEqual([0, 1, 2, 3])
  expect(fetches).toBe(4)
})

test.each([
  ['in order', [0, 1, 2, 3, 4, 5]],
  ['backwards', [5, 4, 3, 2, 1, 0]],
  ['mixed', [3, 0, 5, 1, 4, 2]],
])('G18: those for which there is none wait until others are published, %s', async (_, order) => {
  const { published, skipped, left, most } = await publish([50, 50, 50, 50, 50, 50], order)
  expect(published).toEqual([0, 1, 2, 3, 4, 5])
  expect(skipped).toEqual([])
  // What is on its way counts twice: as itself, and as the room that is kept for it.
  expect(most).toBeLessThanOrEqual(ROOM + ROOM / 2)
  expect(left).toMatchObject({ bytes: 100, entries: 2 })
})

test('one that is bigger than memory is skipped, and holds up none', async () => {
  const { published, skipped } = await publish([50, 101, 50], [0, 1, 2])
  expect(published).toEqual([0, 2])
  expect(skipped).toEqual([1])
})
