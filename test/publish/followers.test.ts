import fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import type { Clock } from '../../src/base/clock.ts'
import { RenderedLists } from '../../src/http/rendered-lists.ts'
import type { Publisher, PublisherOptions } from '../../src/publish/publisher.ts'
import { applyFact, factBetween } from '../../src/publish/stream-fact.ts'
import { dvrForm, LIVE_FORM, type ListForm } from '../../src/render/list-form.ts'
import { FencedError } from '../../src/store/fenced-error.ts'
import type { SegmentList } from '../../src/timeline/segment-list.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { JournalsInMemory, settle, TimelinesInMemory } from '../support/scripted-stream.ts'
import { CameraHistory, event, openPublisher } from './history.ts'

/** What several nodes show of one stream, of which one at a time publishes; without a network between them. */
const DVR_MS = 120_000
const never = new AbortController().signal

/** A fact, or what a journal was amended with, as text on its way to a node. */
type Message = { readonly fact: string } | { readonly amended: readonly string[] }

interface Node {
  readonly publisher: Publisher
  readonly rendered: RenderedLists
  /** The saved stream, as far as the facts have come. */
  followed: unknown
  readonly inbox: Message[]
}

/** The clock of a machine that is ahead, or behind. */
function shifted(clock: Clock, ms: number): Clock {
  return {
    now: () => clock.now() + ms,
    date: () => clock.date() + ms,
    sleep: (...args) => clock.sleep(...args),
    alarm: (...args) => clock.alarm(...args),
  }
}

class Nodes {
  readonly clock = new ManualClock()
  readonly timelines = new TimelinesInMemory()
  readonly journals = new JournalsInMemory()
  readonly all: Node[] = []
  readonly camera = new CameraHistory(this.clock)
  #owner = 0
  #saved: string | undefined

  constructor() {
    this.timelines.saving = (saved) => {
      const before = this.#saved
      if (before !== undefined) {
        const fact = JSON.stringify(factBetween(JSON.parse(before), JSON.parse(saved)))
        for (const { inbox } of this.all) inbox.push({ fact })
      }
      this.#saved = saved
    }
    this.journals.amended = (amended) => {
      for (const { inbox } of this.all) inbox.push({ amended })
    }
  }

  get owner(): Node {
    const owner = this.all[this.#owner]
    if (owner === undefined) throw new Error('no node has joined')
    return owner
  }

  /** What is saved, as a node reads it that has missed facts. */
  get saved(): unknown {
    return JSON.parse(this.#saved ?? '') as unknown
  }

  get followers(): readonly Node[] {
    return this.all.filter((node) => node !== this.owner)
  }

  /** A node comes, and reads what is saved. */
  async join(aheadMs = 0): Promise<Node> {
    const publisher = await openPublisher(shifted(this.clock, aheadMs), this, {
      dvrMs: DVR_MS,
      refetch: (...asked) => this.#fromOwner(...asked),
    })
    const followed = this.#saved === undefined ? undefined : this.saved
    const node = { publisher, rendered: new RenderedLists(), followed, inbox: [] }
    this.all.push(node)
    return node
  }

  /** Another node is the owner from now on. */
  handOver(to: number): void {
    this.#owner = to % this.all.length
  }

  /** Hands all nodes but the owner what it has sent; the owner knows it. */
  async deliver(): Promise<void> {
    for (const node of this.all) {
      for (const message of node.inbox.splice(0)) {
        if ('fact' in message) {
          node.followed = applyFact(node.followed, JSON.parse(message.fact))
          if (node !== this.owner) await node.publisher.adopt(node.followed)
        } else if (node !== this.owner) await node.publisher.amend(message.amended)
      }
    }
  }

  async *#fromOwner(...asked: Parameters<PublisherOptions['refetch']>): AsyncGenerator<Buffer> {
    const [{ msn }, { init, id }, offset, signal] = asked
    const body = this.owner.publisher.fragment(init.rendition, msn, id, signal)
    await body.more(body.size - 1, signal)
    yield body.bytes.subarray(offset)
  }

  /** The very first save has no fact: everybody reads it. */
  async begin(): Promise<void> {
    await this.join()
    await this.camera.publish(this.owner.publisher, 1)
    this.owner.followed = this.saved
  }
}

/** All that a node serves of lists, byte for byte, and what its segments are. */
async function served({ publisher, rendered }: Node): Promise<unknown> {
  const lists: unknown[] = [publisher.shown]
  const add = async (list: SegmentList, form: ListForm): Promise<void> => {
    for (const name of ['master', ...list.renditions] as const) {
      const { identity, gzip } = await rendered.get(list, name, form)
      const text = Buffer.concat(identity.body).toString()
      lists.push(text, identity.etag, Buffer.concat(gzip.body).toString('base64'))
    }
    for (const name of list.renditions) {
      lists.push(Buffer.concat((await rendered.delta(list, name, form)).identity.body).toString())
    }
  }
  if (publisher.shown !== undefined) await add(publisher.shown, LIVE_FORM)
  for (const list of publisher.dvr?.lists() ?? []) await add(list, dvrForm(list.edition))
  return lists
}

const step = fc.oneof(
  { weight: 10, arbitrary: event },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('find'), times: fc.integer({ min: 1, max: 4 }) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('lose'), times: fc.nat(40) }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('join'), times: fc.integer({ min: -60, max: 60 }) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('hand over'), times: fc.nat(3) }) },
)

test('G1, G15: whoever publishes and whenever a node joins, all show the same, byte for byte, without a break', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 20, maxLength: 60, size: 'max' }),
      async (steps) => {
        const nodes = new Nodes()
        await nodes.begin()
        await nodes.join(60_000)
        for (const each of steps) {
          const { publisher } = nodes.owner
          const before = publisher.shown?.tail.at(-1)?.msn ?? 0
          if (each.do === 'find') await nodes.camera.find(publisher, each.times)
          else if (each.do === 'lose') {
            const lost = [...(publisher.dvr?.segments() ?? [])][each.times]
            if (lost !== undefined) await publisher.lose(lost)
          } else if (each.do === 'join') await nodes.join(each.times * 1_000)
          else if (each.do === 'hand over') nodes.handOver(each.times)
          else
            await nodes.camera.happens(each as Parameters<CameraHistory['happens']>[0], publisher)
          // What a pause takes off the list is told with the next fragment.
          if (each.do === 'pause') await nodes.camera.publish(publisher, 1)
          await nodes.deliver()

          const expected = await served(nodes.owner)
          for (const follower of nodes.followers) expect(await served(follower)).toEqual(expected)
          const added = nodes.owner.publisher.shown?.tail.filter(({ msn }) => msn > before) ?? []
          expect(added.map(({ msn }) => msn)).toEqual(added.map((_, i) => before + 1 + i))
        }
      },
    ),
    { numRuns: 6 },
  )
})

describe('a node that follows', () => {
  let nodes: Nodes
  let follower: Node

  beforeEach(async () => {
    nodes = new Nodes()
    await nodes.begin()
    follower = await nodes.join(60_000)
    await nodes.camera.publish(nodes.owner.publisher, 4)
    await nodes.deliver()
  })

  test('tells who waits, and when it came by its own clock', async () => {
    const { publisher } = follower
    const told = publisher.changed(never)
    await nodes.camera.publish(nodes.owner.publisher, 1)
    await nodes.deliver()
    await told
    expect(publisher.latest).toEqual(publisher.shown?.tail.at(-1))
    expect(publisher.latestReal).toEqual(publisher.latest)
    expect(publisher.latestRealMs).toBe(nodes.clock.now() + 60_000)
    expect(publisher.grewMs).toBe(nodes.clock.now() + 60_000)
    expect(publisher.newest('camera')?.number).toBe(publisher.latest?.number)
  })

  test('G1: never goes back, to what is older, damaged, or of another stream', async () => {
    const { publisher, followed } = follower
    await nodes.camera.publish(nodes.owner.publisher, 1)
    await nodes.deliver()
    const { shown } = publisher
    for (const known of [followed, follower.followed]) {
      expect(await publisher.adopt(known)).toBe(false)
    }
    for (const damaged of [undefined, {}, { ...(follower.followed as object), stream: 'yard' }]) {
      await expect(publisher.adopt(damaged)).rejects.toThrow()
    }
    await expect(publisher.amend(['garbage'])).rejects.toThrow('cannot be read')
    expect(publisher.shown).toBe(shown)
  })

  test('G6, G8: finds the bytes of what it shows when they are asked for, and then has them', async () => {
    const [segment] = follower.publisher.shown?.tail ?? []
    for (const { init, id } of Object.values(segment?.tracks ?? {})) {
      const msn = segment?.msn ?? 0
      const [expected, first] = [nodes.owner, follower].map(({ publisher }) =>
        publisher.fragment(init.rendition, msn, id, never),
      )
      await first?.more(first.size - 1, never)
      expect(first?.bytes).toEqual(expected?.bytes)
      expect(follower.publisher.init(init.rendition, init.id)).toEqual(
        nodes.owner.publisher.init(init.rendition, init.id),
      )
      await settle()
      expect(follower.publisher.fragment(init.rendition, msn, id, never).origin).toBe('hit')
    }
  })

  test('G1: what it missed it reads in the journal, and shows the same edition as all others', async () => {
    const inbox = follower.inbox
    await nodes.camera.publish(nodes.owner.publisher, 40)
    inbox.splice(0)
    follower.followed = nodes.saved
    await follower.publisher.adopt(follower.followed)
    expect(await served(follower)).toEqual(await served(nodes.owner))
  })

  test('keeps its blocks, so that what was rendered of them is good', async () => {
    await nodes.camera.publish(nodes.owner.publisher, 20)
    await nodes.deliver()
    const before = follower.publisher.dvr?.lists().at(-1)?.blocks ?? []
    await nodes.camera.publish(nodes.owner.publisher, 1)
    await nodes.deliver()
    const after = follower.publisher.dvr?.lists().at(-1)?.blocks ?? []
    expect(before.length).toBeGreaterThan(2)
    for (const [i, block] of before.entries()) expect(after[i]).toBe(block)
  })

  test('G1: who was refused goes on from what the new owner has shown', async () => {
    const first = nodes.owner.publisher
    nodes.timelines.beforeSave = () => Promise.reject(new FencedError('lobby'))
    await expect(nodes.camera.publish(first, 1)).rejects.toThrow(FencedError)
    nodes.timelines.beforeSave = () => Promise.resolve()
    nodes.handOver(1)
    await nodes.camera.publish(nodes.owner.publisher, 2)
    await nodes.deliver()
    expect(first.shown).toEqual(nodes.owner.publisher.shown)
    const last = first.shown?.tail.at(-1)?.msn ?? 0
    nodes.handOver(0)
    await nodes.camera.publish(first, 1)
    expect(first.shown?.tail.at(-1)).toMatchObject({ msn: last + 1, discontinuity: undefined })
  })
})
