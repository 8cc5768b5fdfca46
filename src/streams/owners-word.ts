import { z } from 'zod'
import { ERRORS, type ErrorCode, GatewayError } from '../base/errors.ts'

/** What keeps media from coming, or some of it, as the node tells that owns the stream. */
export interface OwnersWord {
  readonly trouble: GatewayError | undefined
  /** Why less is shown than the source announces. */
  readonly lack: ErrorCode | undefined
}

const code = z.enum(Object.keys(ERRORS) as [ErrorCode, ...ErrorCode[]])

const ownersWord = z.object({
  trouble: z
    .object({
      code,
      message: z.string(),
      passes: z.boolean(),
      retryAfterMs: z.number().optional(),
    })
    .optional(),
  lack: code.optional(),
})

/** Writes it as plain JSON: only what may reach viewers anyhow. */
export function ownersWordOf({ trouble, lack }: OwnersWord): z.input<typeof ownersWord> {
  if (trouble === undefined) return { lack }
  const { code: name, message, passes, retryAfterMs } = trouble
  return { trouble: { code: name, message, passes, retryAfterMs }, lack }
}

/** Reads what {@link ownersWordOf} wrote; undefined when it is not that. */
export function readOwnersWord(told: unknown): OwnersWord | undefined {
  const { data } = ownersWord.safeParse(told)
  if (data === undefined) return undefined
  const { trouble, lack } = data
  if (trouble === undefined) return { trouble, lack }
  const { code: name, message, passes, retryAfterMs } = trouble
  const options = { passes, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) }
  return { trouble: new GatewayError(name, message, options), lack }
}
