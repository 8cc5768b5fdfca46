import type { GatewayError } from '../../base/errors.ts'
import { named, translate } from '../errors.ts'
import { SessionDeadError } from '../session-dead-error.ts'

/** Returns whatever a request to KVS threw, in words that name it and without secrets. */
export function asKvsError(error: unknown): GatewayError | SessionDeadError {
  const known = translate(error)
  return known instanceof SessionDeadError ? known : named(known, 'Kinesis Video Streams')
}
