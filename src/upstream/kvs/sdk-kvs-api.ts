import { GetDataEndpointCommand } from '@aws-sdk/client-kinesis-video'
import type {
  KinesisVideoArchivedMediaClient,
  ListFragmentsOutput,
} from '@aws-sdk/client-kinesis-video-archived-media'
import type { Random } from '../../base/backoff.ts'
import type { Clock } from '../../base/clock.ts'
import { withDeadline } from '../../base/deadline.ts'
import { type ErrorCode, GatewayError } from '../../base/errors.ts'
import { failureLabel, isAmbiguousNotFound, unusableAnswer, upstreamError } from '../errors.ts'
import { tellFailure } from '../observer.ts'
import { withRetries } from '../retry.ts'
import { SecretUrl } from '../secret-url.ts'
import { type ApiName, EndpointCache } from './endpoint-cache.ts'
import type {
  ApiCall,
  GrantedSession,
  KvsApi,
  Playback,
  StoredFragment,
  StoredRange,
} from './kvs-api.ts'
import { asKvsError } from './kvs-error.ts'
import type { KvsSource, StreamIdentity } from './kvs-source.ts'
import { SdkClients } from './sdk-clients.ts'
import { byNumber, identity, listCommand, sessionCommand, storedFragments } from './sdk-commands.ts'
import type { SdkOptions } from './sdk-setup.ts'

/**
 * How long a call may take: a viewer's first request waits for two of these and the first media, eight seconds by
 * default.
 */
const CALL_MS = 3000
const OPENING = { what: 'opening a session', totalMs: 10_000, attempts: 2 }
const LISTING = { what: 'listing fragments', totalMs: 10_000, attempts: 3 }

/** How many pages are read: two days of 1-s fragments. A caller with more to ask asks for a shorter range. */
const MOST_PAGES = 180

/** Is the {@link KvsApi} over the AWS SDK. */
export class SdkKvsApi implements KvsApi {
  readonly #clock: Clock
  readonly #random: Random
  readonly #clients: SdkClients
  readonly #endpoints = new EndpointCache()

  constructor(clock: Clock, random: Random, options: SdkOptions = {}) {
    this.#clock = clock
    this.#random = random
    this.#clients = new SdkClients(clock, options)
  }

  openSession(source: KvsSource, playback: Playback, call: ApiCall): Promise<GrantedSession> {
    return withRetries(this.#clock, this.#random, OPENING, call.signal, (signal) => {
      const attempt = { ...call, signal }
      return this.#atEndpoint(source, 'GET_HLS_STREAMING_SESSION_URL', attempt, (client) =>
        this.#askSessionUrl(client, source, playback, attempt),
      )
    })
  }

  async listFragments(
    source: KvsSource,
    range: StoredRange,
    call: ApiCall,
  ): Promise<readonly StoredFragment[]> {
    const fragments: StoredFragment[] = []
    let token: string | undefined
    for (let pages = 0; pages < MOST_PAGES; pages += 1) {
      const page = await this.#listPage(source, range, token, call)
      fragments.push(...storedFragments(page))
      token = page.NextToken
      if (token === undefined || range.isSample === true) return fragments.toSorted(byNumber)
    }
    throw new GatewayError('bad_request', 'The range holds too many fragments to be listed.')
  }

  close(): void {
    this.#clients.close()
  }

  #listPage(
    source: KvsSource,
    range: StoredRange,
    token: string | undefined,
    call: ApiCall,
  ): Promise<ListFragmentsOutput> {
    return withRetries(this.#clock, this.#random, LISTING, call.signal, (signal) => {
      const attempt = { ...call, signal }
      return this.#atEndpoint(source, 'LIST_FRAGMENTS', attempt, (client) =>
        this.#askFragments(client, source, range, token, attempt),
      )
    })
  }

  /**
   * Asks as {@link #askAtEndpoint} does, once more where a role's credentials may have been revoked before their time.
   */
  async #atEndpoint<T>(
    source: KvsSource,
    apiName: ApiName,
    call: ApiCall,
    ask: (client: KinesisVideoArchivedMediaClient) => Promise<T>,
  ): Promise<T> {
    try {
      return await this.#askAtEndpoint(source, apiName, call, ask)
    } catch (error) {
      const refused = error instanceof GatewayError && error.code === 'upstream_not_authorized'
      if (!refused || !(await this.#clients.renewRole(source))) throw error
      return this.#askAtEndpoint(source, apiName, call, ask)
    }
  }

  /** Asks at the stream's endpoint for the call, which is forgotten once it fails as stale ones do. */
  async #askAtEndpoint<T>(
    source: KvsSource,
    apiName: ApiName,
    call: ApiCall,
    ask: (client: KinesisVideoArchivedMediaClient) => Promise<T>,
  ): Promise<T> {
    const endpoint =
      this.#endpoints.get(source, apiName) ?? (await this.#askEndpoint(source, apiName, call))
    try {
      return await ask(await this.#clients.data(source, endpoint))
    } catch (error) {
      call.signal.throwIfAborted()
      const known = asKvsError(error)
      if (isAmbiguousNotFound(error)) await this.#requireStream(source, apiName, call)
      if (known instanceof GatewayError && makesEndpointStale(known.code)) {
        this.#endpoints.forget(source, apiName)
      }
      throw known
    }
  }

  /**
   * Tells a missing stream from a silent camera by GetDataEndpoint, where "not found" comes in words that we do not
   * know.
   */
  async #requireStream(source: KvsSource, apiName: ApiName, call: ApiCall): Promise<void> {
    this.#endpoints.forget(source, apiName)
    await this.#askEndpoint(source, apiName, call)
  }

  async #askEndpoint(source: StreamIdentity, apiName: ApiName, call: ApiCall): Promise<URL> {
    const client = await this.#clients.control(source)
    const endTurn = await call.quota.take('dataEndpoint', call.signal, call.priority)
    const command = new GetDataEndpointCommand({ ...identity(source), APIName: apiName })
    const { DataEndpoint } = await this.#observed('GetDataEndpoint', call, (abortSignal) =>
      client.send(command, { abortSignal }),
    )
      .catch(rethrowEndpointError)
      .finally(endTurn)
    const endpoint = (await this.#clients.hosts()).check(required(DataEndpoint, 'DataEndpoint'))
    this.#endpoints.set(source, apiName, endpoint)
    return endpoint
  }

  async #askSessionUrl(
    client: KinesisVideoArchivedMediaClient,
    source: KvsSource,
    playback: Playback,
    call: ApiCall,
  ): Promise<GrantedSession> {
    const endTurn = await call.quota.take('create', call.signal, call.priority)
    const openedAtMs = this.#clock.now()
    const { HLSStreamingSessionURL } = await this.#observed(
      'GetHLSStreamingSessionURL',
      call,
      (abortSignal) => client.send(sessionCommand(source, playback), { abortSignal }),
    ).finally(endTurn)
    const text = required(HLSStreamingSessionURL, 'HLSStreamingSessionURL')
    return { url: new SecretUrl((await this.#clients.hosts()).check(text)), openedAtMs }
  }

  async #askFragments(
    client: KinesisVideoArchivedMediaClient,
    source: KvsSource,
    range: StoredRange,
    token: string | undefined,
    call: ApiCall,
  ): Promise<ListFragmentsOutput> {
    const { quota, signal, priority } = call
    const endTurn = await quota.take('listFragments', signal, priority)
    const command = listCommand(source, range, token)
    const page = await this.#observed('ListFragments', call, (abortSignal) =>
      client.send(command, { abortSignal }),
    ).finally(endTurn)
    // A wrong host or path answers 200 with something else. KVS.md, section 0.
    if (page.Fragments === undefined) throw unusableAnswer('the answer holds no Fragments')
    return page
  }

  /** Makes one attempt, within its deadline, counted. */
  async #observed<T>(
    operation: string,
    { observer, signal }: ApiCall,
    send: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const sentMs = this.#clock.now()
    const report = (label: string): void =>
      observer.request(operation, label, 0, this.#clock.now() - sentMs)
    try {
      const output = await withDeadline(this.#clock, operation, CALL_MS, signal, send)
      report('200')
      return output
    } catch (error) {
      report(signal.aborted ? 'aborted' : failureLabel(error))
      if (!signal.aborted) tellFailure(observer, error)
      throw error
    }
  }
}

/** Requires a field, because a wrong host or path answers 200 without the one that we asked for. KVS.md, section 0. */
function required(value: string | undefined, field: string): string {
  if (value !== undefined && value !== '') return value
  throw unusableAnswer(`the answer holds no ${field}`)
}

/** Rethrows an error of GetDataEndpoint, which knows streams, not media: whatever it does not find is the stream. */
function rethrowEndpointError(error: unknown): never {
  const known = asKvsError(error)
  if (known instanceof GatewayError && known.code === 'no_media') {
    throw asKvsError(
      upstreamError('upstream_stream_not_found', known.cause, known.upstreamRequestId),
    )
  }
  throw known
}

function makesEndpointStale(code: ErrorCode): boolean {
  return (
    code === 'upstream_unavailable' ||
    code === 'upstream_timeout' ||
    code === 'upstream_stream_not_found'
  )
}
