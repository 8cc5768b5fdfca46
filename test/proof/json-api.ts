import type { z } from 'zod'

const DEADLINE_MS = 20_000

/** A small JSON API that answers within seconds or fails. */
export class JsonApi {
  readonly #base: string

  constructor(base: string) {
    this.#base = base
  }

  /** @throws Error naming method, path, status and answer */
  async call<T>(method: string, path: string, schema: z.ZodType<T>, body?: unknown): Promise<T> {
    const response = await fetch(`${this.#base}${path}`, {
      method,
      signal: AbortSignal.timeout(DEADLINE_MS),
      ...(body === undefined
        ? {}
        : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    })
    const text = await response.text()
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text.slice(0, 200)}`)
    const answer: unknown = text === '' ? undefined : JSON.parse(text)
    return schema.parse(answer)
  }
}
