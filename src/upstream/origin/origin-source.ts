import type { SecretUrl } from '../secret-url.ts'

/** Another HLS origin, as configured. */
export interface OriginSource {
  /** A multivariant or a media playlist. May hold a token, or `user:password@`. */
  readonly url: SecretUrl
  /** For the origin of that URL alone: authorisation, for example. */
  readonly headers: Readonly<Record<string, string>>
}
