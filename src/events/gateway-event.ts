import { z } from 'zod'
import type { ErrorCode } from '../base/errors.ts'
import { EVENT_TYPES, type EventType } from '../base/event-types.ts'

/**
 * What an event of each type says besides its subject. Codes, numbers, dates and configured names alone: what upstream or a
 * viewer wrote is nothing for an event (G16, G17). Dates are ISO 8601, UTC.
 */
export interface EventData {
  'stream.lost': {
    readonly state: string
    readonly reason: ErrorCode
    /** When media came last, or were first waited for. */
    readonly since: string
  }
  'stream.back': {
    readonly since: string
    readonly goneSeconds: number
    /** How often the camera went away meanwhile: 1 unless it came and went. */
    readonly times: number
  }
  'stream.failed': { readonly code: ErrorCode; readonly since: string }
  'source.switched': {
    readonly from: string
    readonly to: string
    /** Whether an operator has ordered it. */
    readonly forced: boolean
    /** How many switches this tells of: 1 unless sources change faster than is told. */
    readonly times: number
  }
  'session.failed': {
    readonly source: string
    readonly code: ErrorCode
    /** How many attempts failed in a row. */
    readonly attempts: number
    readonly since: string
    /** Whether one is open that goes on until it expires. */
    readonly sessionOpen: boolean
  }
  'quota.near': {
    readonly kind: 'metadata' | 'media'
    /** The used share of what the gateway may use, 1 is all of it. */
    readonly usedRatio: number
  }
  'auth.refused': {
    /** Whose requests: viewers', or those of the admin listener. */
    readonly listener: 'public' | 'admin'
    readonly code: string
    readonly count: number
    readonly seconds: number
  }
  'limit.reached': {
    /** The configuration key. */
    readonly limit: string
    readonly count: number
    readonly seconds: number
  }
  'config.reloaded': {
    /** Whether what was read is in force now; false where it had faults. */
    readonly applied: boolean
    readonly faults: number
    readonly streams: {
      readonly added: number
      readonly changed: number
      readonly removed: number
    }
    /** The keys that changed and wait for a restart. */
    readonly needRestart: readonly string[]
  }
  'node.joined': { readonly node: string; readonly version: string }
  'node.left': { readonly node: string; readonly version: string }
}

/** Tells that something happened; the subject is the public name of the stream, or the name of the node. */
export type Emit = <T extends EventType>(type: T, data: EventData[T], subject?: string) => void

/** An event as it is sent and shown: CloudEvents 1.0, structured mode. */
export const gatewayEvent = z.object({
  specversion: z.literal('1.0'),
  id: z.string().describe('Unique; later ones of the same source have a greater number at the end'),
  source: z.string().describe('The gateway, or the node of it, that tells: a URI reference'),
  type: z.enum(EVENT_TYPES),
  subject: z.string().optional().describe('The stream or the node that it is about'),
  time: z.iso.datetime().describe('ISO 8601, UTC'),
  datacontenttype: z.literal('application/json'),
  data: z.record(z.string(), z.unknown()).describe('What there is to know, by type'),
})

export type GatewayEvent = Readonly<z.infer<typeof gatewayEvent>>
