import { KinesisVideoClient } from '@aws-sdk/client-kinesis-video'
import { KinesisVideoArchivedMediaClient } from '@aws-sdk/client-kinesis-video-archived-media'
import { fromTemporaryCredentials } from '@aws-sdk/credential-providers'
import { LRUCache } from 'lru-cache'
import type { Clock } from '../../base/clock.ts'
import { ClockSkew } from './clock-skew.ts'
import type { UpstreamHosts } from './hosts.ts'
import { regionOf, type StreamAccess, type StreamIdentity } from './kvs-source.ts'
import { requestHandler } from './request-handler.ts'
import { RoleCredentials } from './role-credentials.ts'
import {
  type Credentials,
  PLAIN_ENDPOINT,
  requireRegion,
  type SdkOptions,
  type SdkSetup,
  setUpSdk,
} from './sdk-setup.ts'

/**
 * The name by which we are known to the account that owns the role: in its CloudTrail, and in its policies if it likes.
 */
const SESSION_NAME = 'kvs-hls-gateway'

/**
 * How many clients there may be. KVS data hosts are cells shared by many streams, so a region has few; each role has
 * clients of its own.
 */
const CLIENTS = { max: 128, dispose: (client: { destroy(): void }) => client.destroy() }

/** Keeps the SDK's clients, one for each region, role and host that streams need. */
export class SdkClients {
  readonly #clock: Clock
  readonly #options: SdkOptions
  readonly #control = new LRUCache<string, KinesisVideoClient>(CLIENTS)
  readonly #data = new LRUCache<string, KinesisVideoArchivedMediaClient>(CLIENTS)
  /** The roles' credentials, as many as are configured. */
  readonly #roles = new Map<string, RoleCredentials>()
  readonly #skew: ClockSkew
  #setup: Promise<SdkSetup> | undefined

  constructor(clock: Clock, options: SdkOptions) {
    this.#clock = clock
    this.#skew = new ClockSkew(clock)
    this.#options = options
  }

  /** Says which addresses we follow to. */
  async hosts(): Promise<UpstreamHosts> {
    return (await this.#sdk()).hosts
  }

  /** Returns the client for GetDataEndpoint. */
  async control(stream: StreamIdentity): Promise<KinesisVideoClient> {
    const { endpoint } = this.#options
    const { key, config } = await this.#config(stream)
    const known = this.#control.get(key)
    if (known !== undefined) return known
    const client = new KinesisVideoClient({
      ...config,
      ...(endpoint === undefined ? (await this.#sdk()).plain : { endpoint, ...PLAIN_ENDPOINT }),
    })
    this.#skew.share(client)
    this.#control.set(key, client)
    return client
  }

  /** Returns the client for the calls that go to the stream's DataEndpoint. */
  async data(stream: StreamIdentity, endpoint: URL): Promise<KinesisVideoArchivedMediaClient> {
    const { key, config } = await this.#config(stream)
    // With a trailing slash the SDK would ask for `//getHLSStreamingSessionURL`.
    const base = endpoint.href.replace(/\/+$/, '')
    const known = this.#data.get(`${key} ${base}`)
    if (known !== undefined) return known
    const client = new KinesisVideoArchivedMediaClient({
      ...config,
      endpoint: base,
      ...PLAIN_ENDPOINT,
    })
    this.#skew.share(client)
    this.#data.set(`${key} ${base}`, client)
    return client
  }

  /** Renews the stream's credentials, which were refused. Says whether others can be had, of the same role. */
  async renewRole(stream: StreamIdentity): Promise<boolean> {
    const region = await this.#region(stream)
    return this.#roles.get(keyOf(region, stream))?.forget() === true
  }

  close(): void {
    this.#control.clear()
    this.#data.clear()
  }

  async #config(stream: StreamIdentity) {
    const region = await this.#region(stream)
    const config = {
      region,
      credentials: await this.#credentials(stream, region),
      // We retry ourselves, since every attempt has to take its turn in the quota.
      maxAttempts: 1,
      requestHandler: requestHandler(this.#options.proxies),
    }
    return { key: keyOf(region, stream), config }
  }

  async #region(stream: StreamIdentity): Promise<string> {
    return requireRegion(regionOf(stream) ?? (await this.#sdk()).region)
  }

  async #credentials(stream: StreamIdentity, region: string): Promise<Credentials> {
    const sdk = await this.#sdk()
    if (stream.roleArn === undefined) return sdk.credentials
    const key = keyOf(region, stream)
    const role =
      this.#roles.get(key) ??
      new RoleCredentials(
        this.#clock,
        () => this.#skew.date(),
        this.#assume(stream.roleArn, stream, region, sdk),
      )
    this.#roles.set(key, role)
    return () => role.get()
  }

  #assume(
    roleArn: string,
    { externalId }: StreamAccess,
    region: string,
    { credentials, stsEndpoint, plain }: SdkSetup,
  ): ReturnType<typeof fromTemporaryCredentials> {
    return fromTemporaryCredentials({
      masterCredentials: credentials,
      params: {
        RoleArn: roleArn,
        RoleSessionName: SESSION_NAME,
        ...(externalId === undefined ? {} : { ExternalId: externalId }),
      },
      clientPlugins: [this.#skew.plugin],
      clientConfig: {
        region,
        maxAttempts: 1,
        requestHandler: requestHandler(this.#options.proxies),
        ...(stsEndpoint === undefined ? plain : { endpoint: stsEndpoint, ...PLAIN_ENDPOINT }),
      },
    })
  }

  #sdk(): Promise<SdkSetup> {
    this.#setup ??= setUpSdk(this.#options).catch((error: unknown) => {
      this.#setup = undefined
      throw error
    })
    return this.#setup
  }
}

/** Returns a role's key, by region too, because STS of another one may be what is down. */
function keyOf(region: string, { roleArn = '', externalId = '' }: StreamAccess): string {
  return [region, roleArn, externalId].join(' ')
}
