import type { Camera } from '../camera/camera.ts'
import type { Sessions } from '../session/sessions.ts'

export interface SignedCall {
  readonly camera: Camera
  /** The body as parsed JSON, not checked. */
  readonly body: unknown
  readonly nowMs: number
  readonly sessions: Sessions
  /** How the client reached us: what we hand out leads back the same way. */
  readonly baseUrl: string
}

/** Answers one POST of the control or data plane: returns what is sent as JSON, or media. Throws KvsError. */
export type SignedOperation = (call: SignedCall) => Record<string, unknown> | Buffer
