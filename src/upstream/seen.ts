import type { IncomingHttpHeaders } from 'node:http'
import { z } from 'zod'
import { DeadlineError } from '../base/deadline.ts'
import { GatewayError } from '../base/errors.ts'
import { UpstreamAnswerError } from './errors.ts'

/** What one call showed, whether it went well or not: for who looks at upstream rather than uses it. */
export interface Seen<T> {
  /** What was asked for; absent where there is a fault. */
  readonly value?: T | undefined
  /** The HTTP status; absent where nothing was answered. */
  readonly status?: number | undefined
  /** The answer's Date, in milliseconds since 1970. */
  readonly dateMs?: number | undefined
  /** Who was asked. */
  readonly hostname?: string | undefined
  readonly headers?: IncomingHttpHeaders | undefined
  readonly fault?: SeenFault | undefined
}

/** What was wrong, in upstream's own words, which may name accounts and hosts. */
export interface SeenFault {
  /** The exception, or the code of a socket's error. */
  readonly name: string
  readonly message: string
}

const codeSchema = z.object({ code: z.string().regex(/^[A-Z][A-Z0-9_]{2,60}$/) })
const metadataSchema = z.object({
  $metadata: z.object({ httpStatusCode: z.number().optional() }),
})

/** Returns what was wrong. An error of a socket is told by its code, because its name is `Error`. */
export function seenFault(error: unknown): SeenFault {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error) }
  if (error instanceof DeadlineError) return { name: error.name, message: error.message }
  if (error instanceof GatewayError && error.cause !== undefined) return causeOf(error)
  const { code } = codeSchema.safeParse(innermost(error)).data ?? {}
  // The SDK's own words about what is no JSON are for who has the error in a debugger.
  const message = error instanceof SyntaxError ? firstLine(error.message) : error.message
  return { name: code ?? error.name, message }
}

function firstLine(text: string): string {
  return text.split('\n', 1).join()
}

/** A public failure says less than what it came of. */
function causeOf({ code, cause }: GatewayError): SeenFault {
  const { name, message } = seenFault(cause)
  return { name: name === 'Error' ? code : name, message }
}

/** Returns the HTTP status that an error came with: the SDK's, or a public failure. */
export function statusOf(error: unknown): number | undefined {
  if (error instanceof GatewayError && error.cause instanceof UpstreamAnswerError) {
    return error.cause.status
  }
  return metadataSchema.safeParse(error).data?.$metadata.httpStatusCode
}

/** Several addresses that were tried in vain come as one error without a word. */
function innermost(error: Error): unknown {
  if (error instanceof AggregateError && !('code' in error)) return error.errors[0]
  if (!('code' in error) && error.cause instanceof Error) return innermost(error.cause)
  return error
}
