import { z } from 'zod'
import { JsonApi } from './json-api.ts'

/** As much of the stream status as the instruments use. Contract, section 3. */
const statusSchema = z.looseObject({
  name: z.string(),
  state: z.string(),
  reason: z.string().nullable(),
  source: z.string().nullable(),
  forced: z.string().nullable(),
  sessionsOpen: z.number(),
  session: z.looseObject({ rollovers: z.number() }).nullable(),
  lastFragment: z.looseObject({ number: z.string() }).nullable(),
  mediaSequence: z.number().nullable(),
  viewers: z.number(),
  upstream: z.looseObject({ requests: z.number(), bytes: z.number() }),
  downstream: z.looseObject({ requests: z.number(), bytes: z.number() }),
})

export type GatewayStreamStatus = z.output<typeof statusSchema>

/** The admin listener's API, as a script would use it. */
export class GatewayAdmin {
  readonly #api: JsonApi
  readonly #url: string

  constructor(url: string) {
    this.#api = new JsonApi(url)
    this.#url = url
  }

  async streams(): Promise<readonly GatewayStreamStatus[]> {
    const schema = z.looseObject({ streams: z.array(statusSchema) })
    return (await this.#api.call('GET', '/api/v1/streams', schema)).streams
  }

  async stream(name: string): Promise<GatewayStreamStatus> {
    return this.#api.call('GET', `/api/v1/streams/${name}`, statusSchema)
  }

  /** A metric's sum over all of its labels; 0 for one that has no samples. */
  async metric(name: string): Promise<number> {
    const response = await fetch(`${this.#url}/metrics`, { signal: AbortSignal.timeout(5_000) })
    const samples = (await response.text()).matchAll(/^(\w+)(?:\{[^}]*\})? (\S+)$/gm)
    const values = [...samples].flatMap(([, of, value]) => (of === name ? [Number(value)] : []))
    return values.reduce((sum, value) => sum + value, 0)
  }

  /** Which source is to be shown. */
  async force(name: string, source: 'camera' | 'backup' | 'auto'): Promise<void> {
    await this.#api.call('POST', `/api/v1/streams/${name}/source`, z.unknown(), { source })
  }

  /** Any of the three things that can be ordered. */
  async order(name: string, what: 'rollover' | 'start' | 'stop'): Promise<void> {
    await this.#api.call('POST', `/api/v1/streams/${name}/${what}`, z.unknown())
  }
}
