import {
  DescribeStreamCommand,
  DescribeStreamStorageConfigurationCommand,
  GetDataEndpointCommand,
  type KinesisVideoClient,
  type StreamInfo,
} from '@aws-sdk/client-kinesis-video'
import { GetMediaForFragmentListCommand } from '@aws-sdk/client-kinesis-video-archived-media'
import { z } from 'zod'
import type { Clock } from '../../base/clock.ts'
import { withDeadline } from '../../base/deadline.ts'
import { SecretUrl } from '../secret-url.ts'
import { type Seen, seenFault, statusOf } from '../seen.ts'
import { LIVE, type StoredFragment, type StoredRange } from './kvs-api.ts'
import type { KvsSource, StreamIdentity } from './kvs-source.ts'
import { SdkClients } from './sdk-clients.ts'
import { byNumber, identity, listCommand, sessionCommand, storedFragments } from './sdk-commands.ts'
import type { SdkOptions } from './sdk-setup.ts'

/** How long one call may take. */
const CALL_MS = 6000

export type LookedApi =
  | 'GET_HLS_STREAMING_SESSION_URL'
  | 'LIST_FRAGMENTS'
  | 'GET_MEDIA_FOR_FRAGMENT_LIST'

/** How calls are signed; never with what. */
export interface SeenCredentials {
  readonly isTemporary: boolean
  /** When they expire, in milliseconds since 1970; undefined where that is not said. */
  readonly expiresMs: number | undefined
}

export interface StoredPage {
  readonly fragments: readonly StoredFragment[]
  /** Whether the range holds more. */
  readonly isMore: boolean
}

const exchangeSchema = z.object({
  request: z.object({ hostname: z.string() }).optional(),
  response: z
    .object({ statusCode: z.number(), headers: z.record(z.string(), z.string()) })
    .optional(),
})

/** The part of a command that a look needs. */
interface Lookable {
  readonly middlewareStack: {
    add(
      middleware: <Args extends object, Output extends object>(
        next: (args: Args) => Promise<Output>,
      ) => (args: Args) => Promise<Output>,
      options: { step: 'deserialize'; priority: 'low'; name: string },
    ): void
  }
}

/** Makes the calls of a first look at a stream, each once, and tells how it went instead of throwing. */
export class KvsLooks {
  readonly #clock: Clock
  readonly #clients: SdkClients

  constructor(clock: Clock, options: SdkOptions) {
    this.#clock = clock
    this.#clients = new SdkClients(clock, options)
  }

  async credentials(stream: StreamIdentity, signal: AbortSignal): Promise<Seen<SeenCredentials>> {
    return this.#seen('the credentials', signal, {}, async () => {
      const client = await this.#clients.control(stream)
      const { sessionToken, expiration } = await client.config.credentials()
      const expiresMs = expiration?.getTime()
      return {
        isTemporary: sessionToken !== undefined,
        // A role's are renewed here, and say so by having ended in 1970.
        expiresMs: expiresMs === 0 ? undefined : expiresMs,
      }
    })
  }

  describe(stream: StreamIdentity, signal: AbortSignal): Promise<Seen<StreamInfo>> {
    const command = new DescribeStreamCommand(identity(stream))
    return this.#control(stream, 'DescribeStream', command, signal, async (client, abortSignal) =>
      present((await client.send(command, { abortSignal })).StreamInfo),
    )
  }

  tier(stream: StreamIdentity, signal: AbortSignal): Promise<Seen<string>> {
    const what = 'DescribeStreamStorageConfiguration'
    const command = new DescribeStreamStorageConfigurationCommand(identity(stream))
    return this.#control(stream, what, command, signal, async (client, abortSignal) => {
      const { StreamStorageConfiguration } = await client.send(command, { abortSignal })
      return present(StreamStorageConfiguration?.DefaultStorageTier)
    })
  }

  endpoint(stream: StreamIdentity, api: LookedApi, signal: AbortSignal): Promise<Seen<URL>> {
    const command = new GetDataEndpointCommand({ ...identity(stream), APIName: api })
    return this.#control(
      stream,
      'GetDataEndpoint',
      command,
      signal,
      async (client, abortSignal) => {
        const { DataEndpoint } = await client.send(command, { abortSignal })
        return (await this.#clients.hosts()).check(present(DataEndpoint))
      },
    )
  }

  /** Lists one page of fragments. */
  list(
    source: KvsSource,
    endpoint: URL,
    range: StoredRange,
    results: number,
    signal: AbortSignal,
  ): Promise<Seen<StoredPage>> {
    const command = listCommand(source, range, undefined, results)
    const exchange = watched(command)
    return this.#seen('ListFragments', signal, exchange, async (abortSignal) => {
      const client = await this.#clients.data(source, endpoint)
      const page = await client.send(command, { abortSignal })
      present(page.Fragments)
      return {
        fragments: storedFragments(page).toSorted(byNumber),
        isMore: page.NextToken !== undefined,
      }
    })
  }

  /** Opens a session of live playback. */
  session(source: KvsSource, endpoint: URL, signal: AbortSignal): Promise<Seen<SecretUrl>> {
    const command = sessionCommand(source, LIVE)
    const exchange = watched(command)
    return this.#seen('GetHLSStreamingSessionURL', signal, exchange, async (abortSignal) => {
      const client = await this.#clients.data(source, endpoint)
      const { HLSStreamingSessionURL } = await client.send(command, { abortSignal })
      return new SecretUrl((await this.#clients.hosts()).check(present(HLSStreamingSessionURL)))
    })
  }

  /** Reads fragments as they were ingested, in Matroska, up to so many bytes. */
  media(
    stream: StreamIdentity,
    endpoint: URL,
    numbers: readonly string[],
    maxBytes: number,
    signal: AbortSignal,
  ): Promise<Seen<Buffer>> {
    const command = new GetMediaForFragmentListCommand({
      ...identity(stream),
      Fragments: [...numbers],
    })
    const exchange = watched(command)
    return this.#seen('GetMediaForFragmentList', signal, exchange, async (abortSignal) => {
      const client = await this.#clients.data(stream, endpoint)
      const { Payload } = await client.send(command, { abortSignal })
      return head(present(Payload), maxBytes)
    })
  }

  close(): void {
    this.#clients.close()
  }

  #control<T>(
    stream: StreamIdentity,
    what: string,
    command: Lookable,
    signal: AbortSignal,
    ask: (client: KinesisVideoClient, signal: AbortSignal) => Promise<T>,
  ): Promise<Seen<T>> {
    const exchange = watched(command)
    return this.#seen(what, signal, exchange, async (limited) =>
      ask(await this.#clients.control(stream), limited),
    )
  }

  /** @throws the signal's reason */
  async #seen<T>(
    what: string,
    signal: AbortSignal,
    exchange: Exchanged,
    ask: (signal: AbortSignal) => Promise<T>,
  ): Promise<Seen<T>> {
    try {
      const value = await withDeadline(this.#clock, what, CALL_MS, signal, ask)
      return { value, ...exchange }
    } catch (error) {
      signal.throwIfAborted()
      const status = statusOf(error)
      return { ...exchange, ...(status === undefined ? {} : { status }), fault: seenFault(error) }
    }
  }
}

/** What of a call shows beside what it was made for. */
interface Exchanged {
  hostname?: string
  status?: number
  dateMs?: number
}

/** Has a command write down whom it asks, and what the answer's head says. */
function watched(command: Lookable): Exchanged {
  const exchanged: Exchanged = {}
  const note = (seen: unknown): void => {
    const { request, response } = exchangeSchema.safeParse(seen).data ?? {}
    if (request !== undefined) exchanged.hostname = request.hostname
    if (response === undefined) return
    exchanged.status = response.statusCode
    const dateMs = Date.parse(response.headers['date'] ?? '')
    if (!Number.isNaN(dateMs)) exchanged.dateMs = dateMs
  }
  command.middlewareStack.add(
    (next) => async (args) => {
      note(args)
      const result = await next(args)
      note(result)
      return result
    },
    // The innermost: what it sees is no error yet, whatever the status.
    { step: 'deserialize', priority: 'low', name: 'firstLook' },
  )
  return exchanged
}

/** Says that a 200 holds something else than what was asked for. KVS.md, section 0. */
class EmptyAnswerError extends Error {
  constructor() {
    super('the answer is not one of Kinesis Video Streams to this call')
    this.name = 'UnknownOperationException'
  }
}

function present<T>(value: T | undefined): T {
  if (value === undefined || value === '') throw new EmptyAnswerError()
  return value
}

const chunkSchema = z.instanceof(Uint8Array)

/** Reads the beginning of a body, and lets go of the rest. */
async function head(body: unknown, maxBytes: number): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  const readable = z.custom<AsyncIterable<unknown>>(isIterable).parse(body)
  // Leaving the loop ends the body, and with it its connection.
  for await (const chunk of readable) {
    const part = chunkSchema.parse(chunk)
    chunks.push(part)
    bytes += part.length
    if (bytes >= maxBytes) break
  }
  return Buffer.concat(chunks).subarray(0, maxBytes)
}

function isIterable(body: unknown): boolean {
  return typeof body === 'object' && body !== null && Symbol.asyncIterator in body
}
