import { z } from 'zod'
import type { Random } from '../../base/backoff.ts'
import { OPERATIONS, type Operation } from './operation.ts'

const selection = {
  operation: z.enum([...OPERATIONS, '*']).default('*'),
  /** The only track whose calls are hit; absent for all. */
  track: z.int().min(1).optional(),
  /** How many calls it hits before it is used up; absent for one that stays until it is removed. */
  times: z.int().min(1).optional(),
  probability: z.number().gt(0).max(1).default(1),
}

/** Something that goes wrong with calls while everything behind them is in order. */
export const faultSchema = z.discriminatedUnion('kind', [
  z
    .strictObject({
      kind: z.literal('status'),
      status: z.int().min(400).max(599),
      type: z.string().default('InternalFailure'),
      message: z.string().default('The request failed.'),
      ...selection,
    })
    .describe('An AWS error answer with this status and exception.'),
  z
    .strictObject({ kind: z.literal('html'), status: z.int().min(200).max(599), ...selection })
    .describe('A web page with this status, as a broken proxy would send.'),
  z
    .strictObject({ kind: z.literal('refuse'), ...selection })
    .describe('The connection is reset before any answer.'),
  z
    .strictObject({ kind: z.literal('reset'), ...selection })
    .describe('The connection is reset half way through the body.'),
  z
    .strictObject({ kind: z.literal('truncate'), ...selection })
    .describe('A complete answer that holds the first half of the body.'),
  z
    .strictObject({ kind: z.literal('garbage'), ...selection })
    .describe('A complete answer of the right length that holds noise.'),
  z
    .strictObject({ kind: z.literal('empty'), ...selection })
    .describe('A complete answer without a body.'),
  z
    .strictObject({ kind: z.literal('slow'), bytesPerSecond: z.int().min(1), ...selection })
    .describe('The body trickles.'),
  z
    .strictObject({ kind: z.literal('latency'), ms: z.int().min(0).max(600_000), ...selection })
    .describe('The answer waits.'),
])

export type Fault = z.output<typeof faultSchema>
export type FaultInput = z.input<typeof faultSchema>

interface Armed {
  readonly fault: Fault
  left: number
}

const MOST_FAULTS = 100

/** Holds the faults in force on one camera. */
export class Faults {
  readonly #random: Random
  #armed: Armed[] = []

  constructor(random: Random, faults: readonly Fault[]) {
    this.#random = random
    for (const fault of faults) this.add(fault)
  }

  get active(): readonly Fault[] {
    return this.#armed.map(({ fault, left }) => ({
      ...fault,
      ...(left === Number.POSITIVE_INFINITY ? {} : { times: left }),
    }))
  }

  /** Adds a fault. Throws RangeError when there are too many. */
  add(fault: Fault): void {
    if (this.#armed.length >= MOST_FAULTS) throw new RangeError(`over ${MOST_FAULTS} faults`)
    this.#armed.push({ fault, left: fault.times ?? Number.POSITIVE_INFINITY })
  }

  clear(): void {
    this.#armed = []
  }

  /** Returns the faults that hit this call, and uses up what has a limited number. */
  strike(operation: Operation, track: number | undefined): readonly Fault[] {
    const hits = this.#armed.filter(({ fault }) => {
      const meant = fault.operation === '*' || fault.operation === operation
      const here = fault.track === undefined || fault.track === track
      return meant && here && this.#random() < fault.probability
    })
    for (const hit of hits) hit.left -= 1
    this.#armed = this.#armed.filter(({ left }) => left > 0)
    return hits.map(({ fault }) => fault)
  }
}
