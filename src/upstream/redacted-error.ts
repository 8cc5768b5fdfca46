import { redact } from '../base/redact.ts'

/** How long texts of others may be; longer ones are not worth a log line. */
const MAX_TEXT = 500

/**
 * Replaces an error that came from a library or from upstream: it holds its name and redacted message, without the
 * requests, responses and bodies that such errors carry along.
 */
export class RedactedError extends Error {
  readonly code: string | undefined

  constructor(original: unknown) {
    super(redact(messageOf(original)).slice(0, MAX_TEXT))
    this.name = original instanceof Error ? original.name : 'Error'
    this.code = codeOf(original)
    if (original instanceof Error && original.stack !== undefined) {
      this.stack = redact(original.stack)
    }
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}
