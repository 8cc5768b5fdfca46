import type { HlsSession, PlaylistName } from '../../../src/upstream/hls-session.ts'

/** A session that nobody fetches from: all that a keeper needs to see of one. */
export class IdleSession implements HlsSession {
  readonly playlists: readonly PlaylistName[] = ['video']
  readonly hasEnded = false
  state: 'open' | 'retired' | 'closed' = 'open'
  codecChanges = 0
  readonly id: number
  readonly timeBase: number
  readonly openedAtMs: number
  readonly expiresAtMs: number

  constructor(id: number, openedAtMs: number, expiresMs: number) {
    this.id = id
    this.timeBase = id
    this.openedAtMs = openedAtMs
    this.expiresAtMs = openedAtMs + expiresMs
  }

  retire(): void {
    this.state = 'retired'
  }

  close(): void {
    this.state = 'closed'
  }

  list(): Promise<never> {
    return Promise.reject(new Error('not in this test'))
  }

  init(): Promise<never> {
    return this.list()
  }

  fragment(): Promise<never> {
    return this.list()
  }

  openFragment(): Promise<never> {
    return this.list()
  }
}
