/**
 * `malformed`: truncated, damaged, or contradicting itself. `unsupported`: valid perhaps, but not what
 * a gateway for H.264, HEVC and AAC can serve.
 */
export type Mp4Fault = 'malformed' | 'unsupported'

/** Says that media must not reach a viewer (G12). The message says which box and where. */
export class Mp4Error extends Error {
  readonly fault: Mp4Fault

  constructor(fault: Mp4Fault, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'Mp4Error'
    this.fault = fault
  }
}

export function malformed(message: string): Mp4Error {
  return new Mp4Error('malformed', message)
}

export function unsupported(message: string): Mp4Error {
  return new Mp4Error('unsupported', message)
}
