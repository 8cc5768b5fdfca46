import type { Random } from '../../base/backoff.ts'
import type { Answer } from './answer.ts'
import { htmlAnswer } from './answer.ts'
import type { Fault } from './fault.ts'
import { KvsError } from './kvs-error.ts'

/** An answer and how it is brought. */
export interface Delivery {
  readonly answer: Answer
  /** Whether the connection is reset before the answer, or half way through its body. */
  readonly reset: 'before' | 'half-way' | undefined
  readonly bytesPerSecond: number | undefined
}

/** Returns the answer that a fault gives in the place of the real one, if one does. */
export function insteadOf(
  faults: readonly Fault[],
  refuse: (error: KvsError) => Answer,
): Answer | undefined {
  for (const fault of faults) {
    if (fault.kind === 'html') return htmlAnswer(fault.status)
    if (fault.kind === 'status') {
      return refuse(new KvsError(fault.type, fault.status, fault.message))
    }
  }
  return undefined
}

export function latencyMs(faults: readonly Fault[]): number {
  return faults.reduce((sum, fault) => sum + (fault.kind === 'latency' ? fault.ms : 0), 0)
}

/** Returns what the faults make of a finished answer. */
export function deliver(answer: Answer, faults: readonly Fault[], random: Random): Delivery {
  const whole: Delivery = { answer, reset: undefined, bytesPerSecond: undefined }
  return faults.reduce((delivery, fault) => spoil(delivery, fault, random), whole)
}

function spoil(delivery: Delivery, fault: Fault, random: Random): Delivery {
  const { answer } = delivery
  switch (fault.kind) {
    case 'refuse':
      return { ...delivery, reset: 'before' }
    case 'reset':
      return { ...delivery, reset: 'half-way' }
    case 'slow':
      return { ...delivery, bytesPerSecond: fault.bytesPerSecond }
    case 'truncate':
      return { ...delivery, answer: withBody(answer, half(answer.body)) }
    case 'garbage':
      return { ...delivery, answer: withBody(answer, noise(answer.body.length, random)) }
    case 'empty':
      return { ...delivery, answer: withBody(answer, Buffer.alloc(0)) }
    case 'status':
    case 'html':
    case 'latency':
      return delivery
  }
}

export function half(body: Buffer): Buffer {
  return body.subarray(0, Math.floor(body.length / 2))
}

function withBody(answer: Answer, body: Buffer): Answer {
  return { ...answer, body }
}

function noise(length: number, random: Random): Buffer {
  return Buffer.from(Array.from({ length }, () => Math.floor(random() * 256)))
}
