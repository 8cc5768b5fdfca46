import {
  GetDataEndpointCommand,
  KinesisVideoClient,
  type KinesisVideoClientConfig,
} from '@aws-sdk/client-kinesis-video'
import { z } from 'zod'
import { isLoopback } from '../../base/loopback.ts'
import { upstreamError } from '../errors.ts'
import type { Proxies } from '../proxies.ts'
import { chainRegion } from './chain-region.ts'
import { isAwsControlHost, UpstreamHosts } from './hosts.ts'
import { requestHandler } from './request-handler.ts'

export interface SdkOptions {
  /** The region; undefined for that of the stream's ARN or of the SDK's own chain. */
  readonly region?: string | undefined
  /** The control endpoint instead of AWS's own; undefined for the SDK's own chain, `AWS_ENDPOINT_URL…` included. */
  readonly endpoint?: string | undefined
  /** The proxies through which calls go; default: none. */
  readonly proxies?: Proxies | undefined
}

/** What the SDK makes of options, environment and shared configuration, found out once. */
export interface SdkSetup {
  readonly hosts: UpstreamHosts
  /** The region; undefined where only a stream's ARN names one. */
  readonly region: string | undefined
  readonly credentials: Credentials
  /** Where roles are assumed; undefined for AWS's own, or `AWS_ENDPOINT_URL_STS` and the like. */
  readonly stsEndpoint: string | undefined
  /** What clients have to be told that go to an endpoint which the environment names. */
  readonly plain: Partial<typeof PLAIN_ENDPOINT>
}

/**
 * Says that a host that is named needs no other one in its place, because with `AWS_USE_DUALSTACK_ENDPOINT` or
 * `AWS_USE_FIPS_ENDPOINT` the SDK would throw. KVS.md, section 9.2.
 */
export const PLAIN_ENDPOINT = { useDualstackEndpoint: false, useFipsEndpoint: false }

export type Credentials = NonNullable<KinesisVideoClientConfig['credentials']>

/** Credentials that an emulator takes: it wants a signature but does not check it. */
const PLACEHOLDER = { accessKeyId: 'placeholder', secretAccessKey: 'placeholder' }
const PLACEHOLDER_REGION = 'us-east-1'

export async function setUpSdk(options: SdkOptions): Promise<SdkSetup> {
  const { target: control, plain } = await controlEndpoint(options)
  const hosts = new UpstreamHosts(!isAwsControlHost(control.hostname))
  const region = options.region ?? (await chainRegion()) ?? fallbackRegion(hosts)
  const emulated = hosts.overridden && isEmulator(control)
  return {
    hosts,
    region,
    credentials: credentials(region, emulated, options.proxies),
    // An emulator plays STS as well; a VPC endpoint of Kinesis Video Streams knows no other service.
    stsEndpoint: emulated ? options.endpoint : undefined,
    plain,
  }
}

/**
 * Returns the region to ask for a stream.
 * @throws GatewayError when nobody names one
 */
export function requireRegion(region: string | undefined): string {
  if (region !== undefined) return region
  throw upstreamError('upstream_unavailable', new Error('no AWS region is configured'))
}

const requestSchema = z.object({ protocol: z.string(), hostname: z.string() })

type Target = z.infer<typeof requestSchema>

/**
 * Finds where the SDK would send GetDataEndpoint. Overrides come from options, several environment variables and the
 * shared configuration, by the SDK's own rules; so we let it build a request and look at it, instead of writing those
 * rules again. Nothing is sent.
 */
async function controlEndpoint({
  endpoint,
}: SdkOptions): Promise<{ readonly target: Target; readonly plain: SdkSetup['plain'] }> {
  const named = endpoint === undefined ? {} : { endpoint, ...PLAIN_ENDPOINT }
  try {
    return { target: await whereTo(named), plain: {} }
  } catch (error) {
    // The environment names a host, and wants another family of it: the host that is named is the one that is meant.
    if (!(error instanceof Error) || error.name !== 'EndpointError') throw error
    return { target: await whereTo({ ...named, ...PLAIN_ENDPOINT }), plain: PLAIN_ENDPOINT }
  }
}

async function whereTo(config: KinesisVideoClientConfig): Promise<Target> {
  const client = new KinesisVideoClient({
    region: PLACEHOLDER_REGION,
    credentials: PLACEHOLDER,
    ...config,
  })
  const command = new GetDataEndpointCommand({ APIName: 'GET_HLS_STREAMING_SESSION_URL' })
  const { promise, resolve } = Promise.withResolvers<Target>()
  command.middlewareStack.add(
    () => (args) => {
      resolve(requestSchema.parse(args.request))
      return Promise.resolve({ response: undefined, output: { $metadata: {} } })
    },
    { step: 'build', priority: 'low' },
  )
  try {
    await client.send(command)
  } finally {
    client.destroy()
  }
  return promise
}

function fallbackRegion({ overridden }: UpstreamHosts): string | undefined {
  return overridden ? PLACEHOLDER_REGION : undefined
}

function credentials(
  region: string | undefined,
  emulated: boolean,
  proxies: Proxies | undefined,
): Credentials {
  const client = new KinesisVideoClient({
    region: region ?? PLACEHOLDER_REGION,
    // SSO, STS and the like are asked as the caller is.
    requestHandler: requestHandler(proxies),
  })
  const chain = client.config.credentials
  return emulated ? async () => chain().catch(() => PLACEHOLDER) : chain
}

/** Says whether it is an emulator, because AWS never speaks plain http, nor from this machine. */
function isEmulator({ protocol, hostname }: Target): boolean {
  return protocol === 'http:' || isLoopback(withoutBrackets(hostname))
}

/** Takes off brackets: a URL writes `[::1]` where a listener is told `::1`. */
function withoutBrackets(hostname: string): string {
  return hostname.replace(/^\[(.*)\]$/, '$1')
}
