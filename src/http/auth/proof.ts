import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { MaybeLater } from '../rendered-lists.ts'

/** What a request shows of who asks. The connection's address is its own, never one that a header tells. */
export interface Shown {
  readonly request: Pick<IncomingMessage, 'headers' | 'socket'>
  /** The token of a signed path. */
  readonly pathToken: string | undefined
}

/** What somebody has proved. */
export interface Grant {
  /** Says whether streams of this name may be seen, be there one or not. */
  readonly may: (stream: string) => boolean
  /** When it ends, in milliseconds since 1970. */
  readonly untilMs: number
  /**
   * The header fields that hold the proof, because answers are then for this viewer alone; undefined where a cache in
   * front sees to it who may have what.
   */
  readonly vary: string | undefined
  /** Names the token that was shown without telling it; undefined where all show the same, or nothing. */
  readonly holder: string | undefined
}

/** Names a token by its hash. */
export function holderOf(token: string): string {
  return createHash('sha256').update(token).digest('base64url').slice(0, 16)
}

/** What is wrong with what was shown, the mildest first. */
export type Lack = 'missing' | 'invalid' | 'expired'

/** One way to prove that one may watch. */
export interface Proof {
  /** The challenge of a refusal. RFC 9110, 11.6.1. */
  readonly challenge?: string | undefined
  /**
   * Says what was proved, which may have ended, or what is lacking.
   * @throws GatewayError where it cannot be found out at present
   */
  judge(shown: Shown): MaybeLater<Grant | Lack>
}

/** All streams for ever: what those get who need not prove more. */
export const EVERYTHING: Grant = {
  may: () => true,
  untilMs: Number.POSITIVE_INFINITY,
  vary: undefined,
  holder: undefined,
}
