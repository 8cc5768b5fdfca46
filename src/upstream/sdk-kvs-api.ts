import { GetDataEndpointCommand, KinesisVideoClient } from '@aws-sdk/client-kinesis-video'
import {
  GetHLSStreamingSessionURLCommand,
  KinesisVideoArchivedMediaClient,
} from '@aws-sdk/client-kinesis-video-archived-media'
import type { Random } from '../base/backoff.ts'
import type { Clock } from '../base/clock.ts'
import { withDeadline } from '../base/deadline.ts'
import { type ErrorCode, GatewayError } from '../base/errors.ts'
import { ClientCache } from './client-cache.ts'
import { EndpointCache } from './endpoint-cache.ts'
import {
  failureLabel,
  isAmbiguousNotFound,
  translate,
  unusableAnswer,
  upstreamError,
} from './errors.ts'
import type { ApiCall, GrantedSession, KvsApi } from './kvs-api.ts'
import { type KvsSource, regionOf, type StreamIdentity } from './kvs-source.ts'
import { tellFailure } from './observer.ts'
import { withRetries } from './retry.ts'
import { requireRegion, type SdkOptions, type SdkSetup, setUpSdk } from './sdk-setup.ts'
import { SecretUrl } from './secret-url.ts'

const API_NAME = 'GET_HLS_STREAMING_SESSION_URL'

/** A viewer's first request waits for two of these and the first media, eight seconds by default. */
const CALL_MS = 3000
const POLICY = { what: 'opening a session', totalMs: 10_000, attempts: 2 }

/** The backstop behind {@link CALL_MS}: sockets that our clock does not see. */
const SOCKET_TIMEOUTS = { connectionTimeout: 3000, requestTimeout: 10_000 }

/** {@link KvsApi} over the AWS SDK. */
export class SdkKvsApi implements KvsApi {
  readonly #clock: Clock
  readonly #random: Random
  readonly #options: SdkOptions
  readonly #endpoints = new EndpointCache()
  readonly #controlClients = new ClientCache<KinesisVideoClient>()
  readonly #dataClients = new ClientCache<KinesisVideoArchivedMediaClient>()
  #setup: Promise<SdkSetup> | undefined

  constructor(clock: Clock, random: Random, options: SdkOptions = {}) {
    this.#clock = clock
    this.#random = random
    this.#options = options
  }

  openLiveSession(source: KvsSource, call: ApiCall): Promise<GrantedSession> {
    return withRetries(this.#clock, this.#random, POLICY, call.signal, (signal) =>
      this.#open(source, { ...call, signal }),
    )
  }

  close(): void {
    this.#controlClients.close()
    this.#dataClients.close()
  }

  async #open(source: KvsSource, call: ApiCall): Promise<GrantedSession> {
    const endpoint =
      this.#endpoints.get(source, API_NAME) ?? (await this.#askEndpoint(source, call))
    try {
      return await this.#askSessionUrl(source, endpoint, call)
    } catch (error) {
      call.signal.throwIfAborted()
      const known = isAmbiguousNotFound(error)
        ? await this.#explain(source, call)
        : translate(error)
      if (known instanceof GatewayError && makesEndpointStale(known.code)) {
        this.#endpoints.forget(source, API_NAME)
      }
      throw known
    }
  }

  /** "Not found" in words we do not know: GetDataEndpoint tells a missing stream from a silent camera. */
  async #explain(source: KvsSource, call: ApiCall): Promise<GatewayError> {
    this.#endpoints.forget(source, API_NAME)
    await this.#askEndpoint(source, call)
    return upstreamError('no_media')
  }

  async #askEndpoint(source: StreamIdentity, call: ApiCall): Promise<URL> {
    const client = await this.#controlClient(source)
    const endTurn = await call.quota.takeDataEndpoint(call.signal)
    const command = new GetDataEndpointCommand({ ...identity(source), APIName: API_NAME })
    const { DataEndpoint } = await this.#observed('GetDataEndpoint', call, (abortSignal) =>
      client.send(command, { abortSignal }),
    )
      .catch(rethrowEndpointError)
      .finally(endTurn)
    const endpoint = (await this.#sdk()).hosts.check(required(DataEndpoint, 'DataEndpoint'))
    this.#endpoints.set(source, API_NAME, endpoint)
    return endpoint
  }

  async #askSessionUrl(source: KvsSource, endpoint: URL, call: ApiCall): Promise<GrantedSession> {
    const client = await this.#dataClient(source, endpoint)
    const endTurn = await call.quota.takeCreate(call.signal)
    const openedAtMs = this.#clock.now()
    const { HLSStreamingSessionURL } = await this.#observed(
      'GetHLSStreamingSessionURL',
      call,
      (abortSignal) => client.send(liveSessionCommand(source), { abortSignal }),
    ).finally(endTurn)
    const text = required(HLSStreamingSessionURL, 'HLSStreamingSessionURL')
    return { url: new SecretUrl((await this.#sdk()).hosts.check(text)), openedAtMs }
  }

  /** One attempt, within its deadline, counted. */
  async #observed<T>(
    operation: string,
    { observer, signal }: ApiCall,
    send: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    try {
      const output = await withDeadline(this.#clock, operation, CALL_MS, signal, send)
      observer.request(operation, '200', 0)
      return output
    } catch (error) {
      observer.request(operation, signal.aborted ? 'aborted' : failureLabel(error), 0)
      if (!signal.aborted) tellFailure(observer, error)
      throw error
    }
  }

  async #controlClient(stream: StreamIdentity): Promise<KinesisVideoClient> {
    const { endpoint } = this.#options
    const config = await this.#clientConfig(stream)
    return this.#controlClients.get(
      config.region,
      () => new KinesisVideoClient({ ...config, ...(endpoint === undefined ? {} : { endpoint }) }),
    )
  }

  async #dataClient(
    stream: StreamIdentity,
    endpoint: URL,
  ): Promise<KinesisVideoArchivedMediaClient> {
    const config = await this.#clientConfig(stream)
    // With a trailing slash the SDK would ask for `//getHLSStreamingSessionURL`.
    const base = endpoint.href.replace(/\/+$/, '')
    return this.#dataClients.get(
      `${config.region} ${base}`,
      () => new KinesisVideoArchivedMediaClient({ ...config, endpoint: base }),
    )
  }

  async #clientConfig(stream: StreamIdentity) {
    const { region, credentials } = await this.#sdk()
    return {
      region: requireRegion(regionOf(stream) ?? region),
      credentials,
      // We retry ourselves, since every attempt has to take its turn in the quota.
      maxAttempts: 1,
      requestHandler: SOCKET_TIMEOUTS,
    }
  }

  #sdk(): Promise<SdkSetup> {
    this.#setup ??= setUpSdk(this.#options).catch((error: unknown) => {
      this.#setup = undefined
      throw error
    })
    return this.#setup
  }
}

/** All that has a default is said explicitly: the defaults make players reset at every fragment. */
function liveSessionCommand(source: KvsSource): GetHLSStreamingSessionURLCommand {
  return new GetHLSStreamingSessionURLCommand({
    ...identity(source),
    PlaybackMode: 'LIVE',
    HLSFragmentSelector: { FragmentSelectorType: source.fragmentSelectorType },
    ContainerFormat: source.containerFormat,
    DiscontinuityMode: source.discontinuityMode,
    // EXT-X-PROGRAM-DATE-TIME: what the timeline is built from.
    DisplayFragmentTimestamp: 'ALWAYS',
    Expires: Math.round(source.expiresMs / 1000),
    MaxMediaPlaylistFragmentResults: source.fragmentResults,
  })
}

function identity(stream: StreamIdentity): { StreamName: string } | { StreamARN: string } {
  return stream.streamArn === undefined
    ? { StreamName: stream.streamName }
    : { StreamARN: stream.streamArn }
}

/** A wrong host or path answers 200 without the field that we asked for. kvs-hls.md, section 0. */
function required(value: string | undefined, field: string): string {
  if (value !== undefined && value !== '') return value
  throw unusableAnswer(`the answer holds no ${field}`)
}

/** GetDataEndpoint knows streams, not media: whatever it does not find is the stream. */
function rethrowEndpointError(error: unknown): never {
  const known = translate(error)
  if (known instanceof GatewayError && known.code === 'no_media') {
    throw upstreamError('upstream_stream_not_found', known.cause, known.upstreamRequestId)
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
