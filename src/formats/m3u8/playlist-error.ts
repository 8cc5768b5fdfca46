/**
 * Says that a playlist cannot be trusted. The message names the tag and the line but never quotes the line, because
 * upstream URIs hold session tokens, and messages end up in logs.
 */
export class PlaylistError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'PlaylistError'
  }
}
