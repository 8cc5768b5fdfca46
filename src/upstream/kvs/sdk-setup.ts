import {
  GetDataEndpointCommand,
  KinesisVideoClient,
  type KinesisVideoClientConfig,
} from '@aws-sdk/client-kinesis-video'
import { z } from 'zod'
import { isLoopback } from '../../base/loopback.ts'
import { upstreamError } from '../errors.ts'
import { chainRegion } from './chain-region.ts'
import { isAwsControlHost, UpstreamHosts } from './hosts.ts'

export interface SdkOptions {
  /** Undefined: the stream's ARN or the SDK's own chain. */
  readonly region?: string | undefined
  /** Control endpoint instead of AWS's own. Undefined: the SDK's own chain, `AWS_ENDPOINT_URL…` included. */
  readonly endpoint?: string | undefined
}

/** What the SDK makes of options, environment and shared configuration, found out once. */
export interface SdkSetup {
  readonly hosts: UpstreamHosts
  /** Undefined where only a stream's ARN names one. */
  readonly region: string | undefined
  readonly credentials: Credentials
  /** Where roles are assumed. Undefined: AWS's own, or `AWS_ENDPOINT_URL_STS` and the like. */
  readonly stsEndpoint: string | undefined
}

export type Credentials = NonNullable<KinesisVideoClientConfig['credentials']>

/** What an emulator takes: it wants a signature but does not check it. */
const PLACEHOLDER = { accessKeyId: 'placeholder', secretAccessKey: 'placeholder' }
const PLACEHOLDER_REGION = 'us-east-1'

export async function setUpSdk(options: SdkOptions): Promise<SdkSetup> {
  const control = await controlEndpoint(options)
  const hosts = new UpstreamHosts(!isAwsControlHost(control.hostname))
  const region = options.region ?? (await chainRegion()) ?? fallbackRegion(hosts)
  const emulated = hosts.overridden && isEmulator(control)
  return {
    hosts,
    region,
    credentials: credentials(region, emulated),
    // An emulator plays STS as well; a VPC endpoint of Kinesis Video Streams knows no other service.
    stsEndpoint: emulated ? options.endpoint : undefined,
  }
}

/** The region to ask for a stream. @throws GatewayError when nobody names one */
export function requireRegion(region: string | undefined): string {
  if (region !== undefined) return region
  throw upstreamError('upstream_unavailable', new Error('no AWS region is configured'))
}

const requestSchema = z.object({ protocol: z.string(), hostname: z.string() })

type Target = z.infer<typeof requestSchema>

/**
 * Where the SDK would send GetDataEndpoint. Overrides come from options, several environment variables
 * and the shared configuration, by the SDK's own rules; so we let it build a request and look at it,
 * instead of writing those rules again. Nothing is sent.
 */
async function controlEndpoint({ endpoint }: SdkOptions): Promise<Target> {
  const client = new KinesisVideoClient({
    region: PLACEHOLDER_REGION,
    credentials: PLACEHOLDER,
    ...(endpoint === undefined ? {} : { endpoint }),
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
  await client.send(command)
  client.destroy()
  return promise
}

function fallbackRegion({ overridden }: UpstreamHosts): string | undefined {
  return overridden ? PLACEHOLDER_REGION : undefined
}

function credentials(region: string | undefined, emulated: boolean): Credentials {
  const client = new KinesisVideoClient({ region: region ?? PLACEHOLDER_REGION })
  const chain = client.config.credentials
  return emulated ? async () => chain().catch(() => PLACEHOLDER) : chain
}

/** AWS never speaks plain http, nor from this machine. */
function isEmulator({ protocol, hostname }: Target): boolean {
  return protocol === 'http:' || isLoopback(withoutBrackets(hostname))
}

/** A URL writes `[::1]` where a listener is told `::1`. */
function withoutBrackets(hostname: string): string {
  return hostname.replace(/^\[(.*)\]$/, '$1')
}
