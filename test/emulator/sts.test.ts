import {
  DescribeStreamCommand,
  type DescribeStreamCommandOutput,
  KinesisVideoClient,
  type KinesisVideoClientConfig,
} from '@aws-sdk/client-kinesis-video'
import { fromTemporaryCredentials } from '@aws-sdk/credential-providers'
import { expect, test } from 'vitest'
import type { EmulatorConfig } from '../../src/emulator/config.ts'
import { NOON, type Rig, rig } from './support/client.ts'

const ROLE = 'arn:aws:iam::210987654321:role/team/viewer'
const BASE = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret' }

const CAMERAS: EmulatorConfig['cameras'] = {
  lobby: {},
  ireland: { streamName: 'lobby', region: 'eu-west-1', anchorMs: NOON - 3_600_000 },
  partner: { streamName: 'lobby', roleArn: ROLE, externalId: 'site-7' },
  vault: { roleArn: ROLE },
}

const start = (): Promise<Rig> => rig({ config: { cameras: CAMERAS } })

interface As {
  readonly region?: string
  readonly roleArn?: string
  readonly externalId?: string
}

type Credentials = NonNullable<KinesisVideoClientConfig['credentials']>

function credentials(it: Rig, { roleArn, externalId, region = 'us-west-2' }: As): Credentials {
  if (roleArn === undefined) return BASE
  return fromTemporaryCredentials({
    masterCredentials: BASE,
    params: { RoleArn: roleArn, RoleSessionName: 'viewer-1', ExternalId: externalId },
    clientConfig: { region, endpoint: it.emulator.url, maxAttempts: 1 },
  })
}

/** Credentials of the role, as the SDK reads them from STS's answer. */
async function assume(it: Rig): Promise<Exclude<Credentials, () => unknown>> {
  const provider = credentials(it, { roleArn: ROLE })
  return typeof provider === 'function' ? provider() : provider
}

function describeWith(
  it: Rig,
  identity: Credentials,
  StreamName: string,
  region = 'us-west-2',
): Promise<DescribeStreamCommandOutput> {
  const endpoint = it.emulator.url
  const client = new KinesisVideoClient({ region, endpoint, credentials: identity, maxAttempts: 1 })
  return client.send(new DescribeStreamCommand({ StreamName }))
}

/** The ARN of the stream that a caller sees under this name. */
async function arnOf(it: Rig, StreamName: string, as: As = {}): Promise<string | undefined> {
  const { StreamInfo } = await describeWith(it, credentials(it, as), StreamName, as.region)
  expect(StreamInfo?.StreamName).toBe(StreamName)
  return StreamInfo?.StreamARN
}

const arn = (home: string, created = Date.UTC(2025, 0, 1)): string =>
  `arn:aws:kinesisvideo:${home}:stream/lobby/${created}`

test('one stream name in two regions and two accounts is three streams', async () => {
  await using it = await start()
  expect(await arnOf(it, 'lobby')).toBe(arn('us-west-2:123456789012'))
  expect(await arnOf(it, 'lobby', { region: 'eu-west-1' })).toBe(
    arn('eu-west-1:123456789012', NOON - 3_600_000),
  )
  expect(await arnOf(it, 'lobby', { roleArn: ROLE, externalId: 'site-7' })).toBe(
    arn('us-west-2:210987654321'),
  )
  // The SDK goes by its own clock, for which these credentials may be old already: it asks again.
  expect(it.emulator.control.counters().cameras).toMatchObject({
    lobby: { calls: { DescribeStream: { 200: 1 } } },
    ireland: { calls: { DescribeStream: { 200: 1 } } },
    partner: {
      calls: { DescribeStream: { 200: 1 }, AssumeRole: { 200: expect.any(Number) as unknown } },
    },
  })
})

test('a stream of another region is not found', async () => {
  await using it = await rig({ config: { cameras: { cam: { region: 'eu-west-1' } } } })
  await expect(arnOf(it, 'cam', { region: 'us-west-2' })).rejects.toMatchObject({
    name: 'ResourceNotFoundException',
    message: 'The requested stream is not found or not active.',
  })
  await expect(arnOf(it, 'cam', { region: 'eu-west-1' })).resolves.toContain('eu-west-1')
})

test('who has not assumed the role of a stream is denied', async () => {
  await using it = await start()
  await expect(arnOf(it, 'vault')).rejects.toMatchObject({
    name: 'AccessDeniedException',
    $metadata: { httpStatusCode: 403 },
    message:
      'User: arn:aws:iam::123456789012:user/viewer is not authorized to perform: kinesisvideo:DescribeStream on resource: arn:aws:kinesisvideo:us-west-2:210987654321:stream/vault/1735689600000',
  })
})

test('AssumeRole refuses a role that is not there as STS words it', async () => {
  await using it = await start()
  const as = { roleArn: 'arn:aws:iam::210987654321:role/nobody' }
  await expect(arnOf(it, 'vault', as)).rejects.toMatchObject({
    name: 'AccessDenied',
    message: `User: arn:aws:iam::123456789012:user/viewer is not authorized to perform: sts:AssumeRole on resource: ${as.roleArn}`,
    $metadata: {
      httpStatusCode: 403,
      requestId: expect.stringMatching(/^[0-9a-f-]{36}$/) as unknown,
    },
  })
})

test('an ExternalId that all streams of a role ask for is needed', async () => {
  const cameras = { cam: { roleArn: ROLE, externalId: 'site-7' } }
  await using it = await rig({ config: { cameras } })
  const ask = (externalId?: string): Promise<string | undefined> =>
    arnOf(it, 'cam', { roleArn: ROLE, ...(externalId === undefined ? {} : { externalId }) })
  await expect(ask()).rejects.toMatchObject({ name: 'AccessDenied' })
  await expect(ask('site-8')).rejects.toMatchObject({ name: 'AccessDenied' })
  await expect(ask('site-7')).resolves.toContain('/cam/')
})

test('credentials of a role run out by the clock', async () => {
  await using it = await start()
  const given = await assume(it)
  expect(given).toMatchObject({ expiration: new Date(NOON + 3_600_000) })
  // Without the date, so that the SDK does not fetch new ones by its own clock.
  const { expiration: _, ...dateless } = given
  const ask = (): Promise<unknown> => describeWith(it, dateless, 'vault')
  it.clock.advance(3_599_999)
  await expect(ask()).resolves.toBeDefined()
  it.clock.advance(1)
  await expect(ask()).rejects.toMatchObject({
    name: 'ExpiredTokenException',
    message: 'The security token included in the request is expired',
    $metadata: { httpStatusCode: 403 },
  })
})

test('temporary credentials without their token are not known', async () => {
  await using it = await start()
  const given = await assume(it)
  await expect(
    describeWith(it, { ...given, sessionToken: 'other' }, 'vault'),
  ).rejects.toMatchObject({ name: 'UnrecognizedClientException' })
})

test('AssumeRole has the faults of the role’s camera, in XML', async () => {
  await using it = await start()
  it.emulator.control.addFault('partner', {
    kind: 'status',
    operation: 'AssumeRole',
    status: 400,
    type: 'Throttling',
    message: 'Rate exceeded',
    times: 1,
  })
  await expect(arnOf(it, 'vault', { roleArn: ROLE })).rejects.toMatchObject({
    name: 'Throttling',
    message: 'Rate exceeded',
    $metadata: { httpStatusCode: 400 },
  })
  await expect(arnOf(it, 'vault', { roleArn: ROLE })).resolves.toContain('/vault/')
})

test.each([
  ['Action=GetSessionToken&Version=2011-06-15', 'InvalidAction'],
  ['Action=AssumeRole', 'ValidationError'],
  [`Action=AssumeRole&RoleArn=${ROLE}&RoleSessionName=ab&DurationSeconds=899`, 'ValidationError'],
])('STS refuses %s with %s', async (body, code) => {
  await using it = await start()
  const response = await fetch(it.emulator.url, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      'x-amz-date': '20260102T120000Z',
      authorization: `AWS4-HMAC-SHA256 Credential=A/20260102/us-west-2/sts/aws4_request, SignedHeaders=host, Signature=${'0'.repeat(64)}`,
    },
    body,
  })
  expect(response.status).toBe(400)
  expect(await response.text()).toContain(`<Code>${code}</Code>`)
})
