import { z } from 'zod'
import { count } from '../timeline/saved.ts'

/**
 * What of a saved stream is looked into; what it must be to be shown is for who restores it to say. The rest of it goes
 * from one to the next as it is.
 */
const segment = z.looseObject({ msn: count })
const retired = z.looseObject({ segment, retiredMs: z.number() })
const savedStream = z.looseObject({
  timeline: z.looseObject({
    version: count,
    window: z.looseObject({ listed: z.array(segment), retired: z.array(retired) }),
    recent: z.array(z.unknown()),
  }),
  inits: z.array(z.unknown()),
})

/** What becomes of a queue: which places of it are given up, and what comes behind the others. */
const queueOf = <T extends z.ZodType>(item: T) =>
  z.object({ gone: z.array(count), came: z.array(item) })

/** A segment that retires, by its MSN where it was listed before. */
const retiring = z.union([retired, z.object({ msn: count, retiredMs: z.number() })])

const streamFact = z.object({
  /** The version of the timeline that it goes on from. */
  after: count,
  listed: queueOf(segment),
  retired: queueOf(retiring),
  recent: queueOf(z.unknown()),
  inits: queueOf(z.unknown()),
  /** All else of the stream, of its timeline, and of its window: little, and most of it new each time. */
  stream: z.looseObject({}),
  timeline: z.looseObject({}),
  window: z.looseObject({}),
})

/**
 * How one saved stream differs from the one before it: plain JSON, of the size of one segment where one was published.
 * Nodes that have the one before make the next of it, rather than be sent all of it each time.
 */
export type StreamFact = z.output<typeof streamFact>
type Queue<T> = { gone: number[]; came: T[] }

/**
 * Returns what {@link applyFact} makes `after` of `before` with.
 * @param before and `after`, what {@link SavedStream} saves, one after the other
 */
export function factBetween(before: unknown, after: unknown): StreamFact {
  const old = savedStream.parse(before)
  const { timeline, inits, ...stream } = savedStream.parse(after)
  const { window, recent, ...rest } = timeline
  const { listed, retired, ...bounds } = window
  const known = new Set(old.timeline.window.listed.map(({ msn }) => msn))
  const { gone, came } = changeOf(old.timeline.window.retired, retired)
  const named = came.map((item) =>
    known.has(item.segment.msn) ? { msn: item.segment.msn, retiredMs: item.retiredMs } : item,
  )
  return {
    after: old.timeline.version,
    listed: changeOf(old.timeline.window.listed, listed),
    retired: { gone, came: named },
    recent: changeOf(old.timeline.recent, recent),
    inits: changeOf(old.inits, inits),
    stream,
    timeline: rest,
    window: bounds,
  }
}

/**
 * Returns the saved stream that a fact makes of the one before.
 * @throws Error when the fact does not go on from that one, or is none
 */
export function applyFact(before: unknown, fact: unknown): unknown {
  const { timeline, inits } = savedStream.parse(before)
  const change = streamFact.parse(fact)
  if (change.after !== timeline.version) {
    throw new Error(`a fact that follows version ${change.after}, not ${timeline.version}`)
  }
  const { listed, retired } = timeline.window
  const byMsn = new Map(listed.map((segment) => [segment.msn, segment]))
  const retiring = change.retired.came.map((item) => {
    if ('segment' in item) return item
    const segment = byMsn.get(item.msn)
    if (segment === undefined) throw new Error(`segment ${item.msn} retires, and is not listed`)
    return { segment, retiredMs: item.retiredMs }
  })
  return {
    ...change.stream,
    timeline: {
      ...change.timeline,
      window: {
        ...change.window,
        listed: changed(listed, change.listed),
        retired: changed(retired, { ...change.retired, came: retiring }),
      },
      recent: changed(timeline.recent, change.recent),
    },
    inits: changed(inits, change.inits),
  }
}

function changeOf<T>(before: readonly T[], after: readonly T[]): Queue<T> {
  const gone: number[] = []
  let kept = 0
  for (const [place, item] of before.entries()) {
    if (kept < after.length && isSame(item, after[kept])) kept += 1
    else gone.push(place)
  }
  return { gone, came: after.slice(kept) }
}

function changed<T>(before: readonly T[], { gone, came }: Queue<T>): T[] {
  const left = new Set(gone)
  return [...before.filter((_, place) => !left.has(place)), ...came]
}

/** Compares as JSON, which knows no `undefined`. */
function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}
