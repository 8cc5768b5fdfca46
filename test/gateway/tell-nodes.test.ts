import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { NodeFacts } from '../../src/cluster/leases.ts'
import { NodeWatch } from '../../src/gateway/tell-nodes.ts'

const facts = (name: string, leaving = false): NodeFacts => ({
  name,
  version: '1',
  url: '',
  secret: '',
  startedMs: 0,
  leaving,
})

/** Some nodes, each of which looks by itself at who is there. */
function clusterOf() {
  const there = new Map<string, NodeFacts>()
  const watches = new Map<string, NodeWatch>()
  const told: string[] = []
  const come = (id: string): void => {
    there.set(id, facts(`${id}.us-west-2.compute.internal`))
    watches.set(id, new NodeWatch(id, (type, _, subject) => void told.push(`${type} ${subject}`)))
  }
  const go = (id: string): void => {
    there.delete(id)
    watches.delete(id)
  }
  const look = (): readonly string[] => {
    for (const watch of watches.values()) watch.look(new Map(there))
    return told.splice(0)
  }
  /** Looks as often as it takes for one that is away to have left; all but the last tell nothing. */
  const lookOn = (): readonly string[] => {
    for (let i = 0; i < 3; i += 1) expect(look()).toEqual([])
    return look()
  }
  return { there, come, go, look, lookOn }
}

test('one that comes and one that goes are told of once, and by their own name alone', () => {
  const { there, come, go, look, lookOn } = clusterOf()
  come('b')
  expect(look()).toEqual([])
  come('c')
  expect(look()).toEqual(['node.joined c'])
  // It is the first by name, but was not there to see itself come.
  come('a')
  expect(look()).toEqual(['node.joined a'])
  there.set('a', facts('a', true))
  go('c')
  expect(look()).toEqual([])
  expect(lookOn()).toEqual(['node.left c'])
  // It has said so.
  go('a')
  expect(look()).toEqual([])
  expect(look()).toEqual(['node.left a'])
})

test('one that comes again under its name has left before', () => {
  const { there, come, go, look } = clusterOf()
  come('a')
  come('b')
  look()
  go('b')
  look()
  come('b2')
  there.set('b2', facts('b.us-west-2.compute.internal'))
  expect(look()).toEqual(['node.left b', 'node.joined b'])
})

test('one that is slow, or away for some seconds, has neither left nor come', () => {
  const { there, come, look } = clusterOf()
  come('a')
  come('b')
  look()
  const b = there.get('b')
  there.delete('b')
  for (let i = 0; i < 4; i += 1) expect(look()).toEqual([])
  if (b !== undefined) there.set('b', b)
  expect([...look(), ...look()]).toEqual([])
})

test('whoever comes and goes, each is told of once, if it was there when somebody looked', () => {
  const change = fc.record({
    kind: fc.constantFrom('come', 'go'),
    id: fc.constantFrom('a', 'b', 'c', 'd'),
  })
  fc.assert(
    fc.property(fc.array(fc.array(change, { maxLength: 4 }), { maxLength: 20 }), (rounds) => {
      const { there, come, go, look, lookOn } = clusterOf()
      // One stays, so that there is always somebody to tell.
      come('x')
      look()
      let life = 0
      for (const round of rounds) {
        const before = [...there.keys()]
        for (const { kind, id } of round) {
          const now = [...there.keys()].find((each) => each.startsWith(id))
          if (kind === 'go' && now !== undefined) go(now)
          if (kind === 'come' && now === undefined) {
            life += 1
            come(`${id}${life}`)
          }
        }
        const after = [...there.keys()]
        const came = after.filter((id) => !before.includes(id)).map((id) => `node.joined ${id}`)
        const went = before.filter((id) => !there.has(id)).map((id) => `node.left ${id}`)
        // Who goes is told of at the fifth look.
        expect(look().toSorted()).toEqual(came.toSorted())
        expect(lookOn().toSorted()).toEqual(went.toSorted())
      }
    }),
  )
})
