/** Says why a start failed, as one line for the person who typed the command. */
export function startFailure(error: unknown): string {
  const { code, message } = describe(error)
  if (code === 'EADDRINUSE') return `${listener(error)} is in use by another process`
  if (code === 'EACCES') return `${listener(error)} may not be used without more rights`
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND')
    return `${listener(error)} is not of this machine`
  if (code === 'ENOTSUP') return `${listener(error)} cannot be shared here: server.reusePort`
  return message.split('\n')[0] ?? message
}

function describe(error: unknown): { code: unknown; message: string } {
  if (!(error instanceof Error)) return { code: undefined, message: String(error) }
  return { code: 'code' in error ? error.code : undefined, message: error.message }
}

/** Says where it could not listen. Node's errors know: `address`, or `hostname` when it did not resolve, and `port`. */
function listener(error: unknown): string {
  const { address, hostname, port } = error as Readonly<Record<string, unknown>>
  const host = [address, hostname].find((name) => typeof name === 'string') ?? 'the address'
  return typeof port === 'number' ? `port ${port} on ${host}` : host
}
