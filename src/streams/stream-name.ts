import { GatewayError } from '../base/errors.ts'

/** A stream's public name, whose characters need no escaping in a path, nor in a file name. */
const NAME = /^(?!\.{1,2}$)[A-Za-z0-9_.-]{1,256}$/

export function isStreamName(name: string): boolean {
  return NAME.test(name)
}

/** Says that no stream of that name is configured. */
export function notConfigured(): GatewayError {
  return new GatewayError('stream_not_found', 'No stream of that name is configured here')
}
