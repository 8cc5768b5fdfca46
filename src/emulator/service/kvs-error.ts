/** An error as AWS answers it: exception name, HTTP status, message. KVS.md, section 7. */
export class KvsError extends Error {
  readonly type: string
  readonly status: number

  constructor(type: string, status: number, message: string) {
    super(message)
    this.name = 'KvsError'
    this.type = type
    this.status = status
  }
}

export function invalidArgument(message: string): KvsError {
  return new KvsError('InvalidArgumentException', 400, message)
}

export function noFragments(): KvsError {
  const message = 'No fragments found in the stream for the streaming request.'
  return new KvsError('ResourceNotFoundException', 404, message)
}

export function streamNotFound(): KvsError {
  const message = 'The requested stream is not found or not active.'
  return new KvsError('ResourceNotFoundException', 404, message)
}

export function fragmentNotFound(): KvsError {
  return new KvsError('ResourceNotFoundException', 404, 'The requested fragment is not found.')
}

export function sessionExpired(): KvsError {
  return new KvsError('NotAuthorizedException', 403, 'Streaming session token is expired')
}

export function sessionUnknown(): KvsError {
  return new KvsError('NotAuthorizedException', 403, 'Streaming session token is invalid')
}
