import type { Session } from '../session/session.ts'

/** Holds the query parameters of a session GET; a repeated one counts once. */
export type Query = ReadonlyMap<string, string>

export interface SessionCall {
  readonly session: Session
  readonly query: Query
  readonly nowMs: number
}

export interface Media {
  readonly type: string
  readonly body: Buffer
}

/** Answers one GET below /hls/v1/. Throws KvsError. */
export type SessionOperation = (call: SessionCall) => Media
