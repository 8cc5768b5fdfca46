import { z } from 'zod'
import { ERRORS, type ErrorCode, GatewayError } from '../base/errors.ts'
import type { LiveSource } from '../timeline/fragment.ts'

/** What keeps media from coming, or some of it, as the node tells that owns the stream. */
export interface OwnersWord {
  readonly trouble: GatewayError | undefined
  /** Why less is shown than the source announces. */
  readonly lack: ErrorCode | undefined
  /** The source that an operator has ordered. */
  readonly forced: LiveSource | undefined
  /** What was told of the camera's being away; undefined while it is there. */
  readonly loss: ToldLoss | undefined
}

/** What somebody was called for, and is not to be called again by the next owner. */
export interface ToldLoss {
  /** When media came last: ISO 8601. */
  readonly since: string
  readonly kinds: readonly ('lost' | ErrorCode)[]
}

/** The code of a failure, as another node tells it. */
export const errorCode = z.enum(Object.keys(ERRORS) as [ErrorCode, ...ErrorCode[]])

const ownersWord = z.object({
  trouble: z
    .object({
      code: errorCode,
      message: z.string(),
      passes: z.boolean(),
      retryAfterMs: z.number().optional(),
    })
    .optional(),
  lack: errorCode.optional(),
  forced: z.enum(['camera', 'backup']).optional(),
  loss: z
    .object({ since: z.iso.datetime(), kinds: z.array(z.union([z.literal('lost'), errorCode])) })
    .optional(),
})

/** Writes it as plain JSON: only what may reach viewers anyhow. */
export function ownersWordOf({ trouble, loss, ...plain }: OwnersWord): z.input<typeof ownersWord> {
  const told = loss === undefined ? {} : { loss: { since: loss.since, kinds: [...loss.kinds] } }
  if (trouble === undefined) return { ...plain, ...told }
  const { code: name, message, passes, retryAfterMs } = trouble
  return { trouble: { code: name, message, passes, retryAfterMs }, ...plain, ...told }
}

/** Reads what {@link ownersWordOf} wrote; undefined when it is not that. */
export function readOwnersWord(told: unknown): OwnersWord | undefined {
  const { data } = ownersWord.safeParse(told)
  if (data === undefined) return undefined
  const { trouble, lack, forced, loss } = data
  if (trouble === undefined) return { trouble, lack, forced, loss }
  const { code: name, message, passes, retryAfterMs } = trouble
  const options = { passes, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) }
  return { trouble: new GatewayError(name, message, options), lack, forced, loss }
}
