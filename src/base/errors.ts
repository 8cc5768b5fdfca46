/**
 * Every failure that a viewer, a CDN or a script can meet: code, HTTP status and title.
 * Codes and statuses are public and stay as they are; titles are for people.
 */
export const ERRORS = {
  stream_not_found: { status: 404, title: 'No such stream' },
  no_recording: { status: 404, title: 'Nothing was recorded then' },
  upstream_stream_not_found: { status: 404, title: 'The camera’s stream does not exist upstream' },
  no_media: { status: 503, title: 'No media from the camera' },
  upstream_not_authorized: { status: 502, title: 'Upstream refused our credentials' },
  upstream_unsupported_media: { status: 502, title: 'The camera’s media cannot be played as HLS' },
  upstream_codec_private_data: {
    status: 502,
    title: 'The camera’s codec private data is unusable',
  },
  upstream_no_retention: { status: 502, title: 'The camera’s stream keeps no data' },
  upstream_throttled: { status: 503, title: 'Upstream throttles us' },
  upstream_unavailable: { status: 502, title: 'Upstream is not available' },
  upstream_timeout: { status: 504, title: 'Upstream did not answer in time' },
  segment_gone: { status: 404, title: 'The segment has left the timeline' },
  segment_not_ready: { status: 404, title: 'The segment does not exist yet' },
  not_found: { status: 404, title: 'Nothing lives at this address' },
  method_not_allowed: { status: 405, title: 'Method not allowed' },
  bad_request: { status: 400, title: 'The request is malformed' },
  unauthenticated: { status: 401, title: 'Authentication is required' },
  forbidden: { status: 403, title: 'Not allowed' },
  node_away: { status: 503, title: 'The node that has to do it does not answer' },
  overloaded: { status: 503, title: 'Too many requests' },
  internal: { status: 500, title: 'The gateway failed' },
} as const satisfies Record<string, { status: number; title: string }>

export type ErrorCode = keyof typeof ERRORS

export interface GatewayErrorOptions extends ErrorOptions {
  /** How long until a retry makes sense, in milliseconds from now. */
  readonly retryAfterMs?: number
  /** The AWS request id, for logs. */
  readonly upstreamRequestId?: string
  /**
   * Whether it ends by itself, when what is away comes back, whatever its code says, so that nobody has to change
   * anything. Default: false, which says nothing.
   */
  readonly passes?: boolean
  /** More members for the problem document (RFC 9457, 3.2); public, like the message. */
  readonly members?: Readonly<Record<string, unknown>>
}

/**
 * A failure with a public code. `message` may reach viewers as the problem's `detail`, so it never
 * holds a token, a host or a credential; what an engineer needs beyond it travels in `cause`.
 */
export class GatewayError extends Error {
  readonly code: ErrorCode
  readonly retryAfterMs: number | undefined
  readonly upstreamRequestId: string | undefined
  readonly passes: boolean
  readonly members: Readonly<Record<string, unknown>>

  constructor(code: ErrorCode, message: string, options: GatewayErrorOptions = {}) {
    super(message, options)
    this.name = 'GatewayError'
    this.code = code
    this.retryAfterMs = options.retryAfterMs
    this.upstreamRequestId = options.upstreamRequestId
    this.passes = options.passes ?? false
    this.members = options.members ?? {}
  }

  get status(): number {
    return ERRORS[this.code].status
  }
}
