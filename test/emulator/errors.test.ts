import { DescribeStreamCommand, GetDataEndpointCommand } from '@aws-sdk/client-kinesis-video'
import {
  ClientLimitExceededException,
  GetHLSStreamingSessionURLCommand,
  type GetHLSStreamingSessionURLInput,
  InvalidArgumentException,
  InvalidCodecPrivateDataException,
  KinesisVideoArchivedMediaServiceException,
  ListFragmentsCommand,
  MissingCodecPrivateDataException,
  NoDataRetentionException,
  NotAuthorizedException,
  ResourceNotFoundException,
  UnsupportedStreamMediaTypeException,
} from '@aws-sdk/client-kinesis-video-archived-media'
import { expect, test } from 'vitest'
import type { CameraConfigInput } from '../../src/emulator/config.ts'
import { controlClient, get, mediaClient, NOON, openSession, rig } from './support/client.ts'

async function ask(
  config: CameraConfigInput,
  input: GetHLSStreamingSessionURLInput = { StreamName: 'cam' },
): Promise<unknown> {
  await using it = await rig({ config: { cameras: { cam: config } } })
  return await mediaClient(it.emulator.url)
    .send(new GetHLSStreamingSessionURLCommand(input))
    .catch((error: unknown) => error)
}

interface Refusal {
  readonly type: { readonly name: string; readonly prototype: Error }
  readonly status: number
  readonly message: string
  readonly config?: CameraConfigInput
  readonly input?: GetHLSStreamingSessionURLInput
}

const modelled: readonly Refusal[] = [
  {
    type: ResourceNotFoundException,
    status: 404,
    message: 'The requested stream is not found or not active.',
    input: { StreamName: 'nobody' },
  },
  {
    type: ResourceNotFoundException,
    status: 404,
    message: 'The requested stream is not found or not active.',
    config: { status: 'DELETING' },
  },
  {
    type: ResourceNotFoundException,
    status: 404,
    message: 'No fragments found in the stream for the streaming request.',
    config: { events: [{ atMs: NOON - 60_000, event: { type: 'stop' } }] },
  },
  {
    type: NoDataRetentionException,
    status: 400,
    message: 'The stream does not retain any data.',
    config: { retentionHours: 0 },
  },
  {
    type: UnsupportedStreamMediaTypeException,
    status: 400,
    message: 'The media type of the stream is not supported.',
    config: { mediaSupported: false },
  },
  {
    type: MissingCodecPrivateDataException,
    status: 400,
    message: 'Missing codec private data in fragment for track 1.',
    config: { codecPrivateData: 'missing' },
  },
  {
    type: InvalidCodecPrivateDataException,
    status: 400,
    message: 'Invalid codec private data in fragment for track 1.',
    config: { codecPrivateData: 'invalid' },
  },
  {
    type: InvalidArgumentException,
    status: 400,
    message: 'Expires must be at least 300 seconds.',
    input: { StreamName: 'cam', Expires: 299 },
  },
  {
    type: ClientLimitExceededException,
    status: 429,
    message:
      "Limit exceeded on number of requests for GetHLSStreamingSessionURL API for resource 'cam'",
    config: { quotas: { getHlsStreamingSessionUrl: 0, status: 429 } },
  },
  {
    type: NotAuthorizedException,
    status: 401,
    message: expect.stringContaining('is not authorized to perform') as unknown as string,
    config: { signing: 'not-authorized' },
  },
]

test.each(modelled)('$type.name ($status) arrives as itself: $message', async (refusal) => {
  const error = await ask(refusal.config ?? {}, refusal.input)

  expect(error).toBeInstanceOf(refusal.type)
  expect(error).toMatchObject({ name: refusal.type.name, message: refusal.message })
  expect(error).toMatchObject({
    $metadata: {
      httpStatusCode: refusal.status,
      requestId: expect.stringMatching(/^[0-9a-f-]{36}$/) as unknown,
    },
  })
})

test.each([
  ['deny', 'AccessDeniedException'],
  ['expired-token', 'ExpiredTokenException'],
  ['signature-expired', 'InvalidSignatureException'],
] as const)('signing: %s arrives as %s, which the SDK does not model', async (signing, name) => {
  const error = await ask({ signing })
  expect(error).toBeInstanceOf(KinesisVideoArchivedMediaServiceException)
  expect(error).toMatchObject({ name, $metadata: { httpStatusCode: 403 } })
})

test.each([
  ['ThrottlingException', 400],
  ['ServiceUnavailable', 503],
  ['InternalFailure', 500],
])('a fault brings %s (%i)', async (type, status) => {
  const error = await ask({ faults: [{ kind: 'status', type, status }] })
  expect(error).toMatchObject({ name: type, $metadata: { httpStatusCode: status } })
})

test('an HTML page in the place of an answer makes the SDK throw a SyntaxError', async () => {
  expect(await ask({ faults: [{ kind: 'html', status: 502 }] })).toBeInstanceOf(SyntaxError)
})

test('without the spelling that SDKs read, the exception is unknown', async () => {
  expect(await ask({ errorHeaders: 'x-amz', retentionHours: 0 })).toMatchObject({ name: 'Unknown' })
})

test('GetDataEndpoint, DescribeStream and ListFragments fail as themselves, too', async () => {
  await using it = await rig({ config: { cameras: { cam: { quotas: { describeStream: 0 } } } } })
  const control = controlClient(it.emulator.url)
  const nobody = { StreamName: 'nobody' }
  await expect(
    control.send(new GetDataEndpointCommand({ ...nobody, APIName: 'GET_CLIP' })),
  ).rejects.toMatchObject({ name: 'ResourceNotFoundException' })
  await expect(
    control.send(new DescribeStreamCommand({ StreamName: 'cam' })),
  ).rejects.toMatchObject({ name: 'ClientLimitExceededException' })
  await expect(
    mediaClient(it.emulator.url).send(
      new ListFragmentsCommand({ StreamName: 'cam', MaxResults: 0 }),
    ),
  ).rejects.toMatchObject({ name: 'InvalidArgumentException' })
})

test.each(['/getdataendpoint', '/', '/getClip', '//getDataEndpoint'])(
  'POST %s is an unknown operation, which AWS answers with 200',
  async (path) => {
    await using it = await rig()
    const response = await fetch(`${it.emulator.url}${path}`, { method: 'POST', body: '{}' })
    expect(response.status).toBe(200)
    expect(await response.json()).toEqual({
      Output: { __type: 'com.amazon.coral.service#UnknownOperationException' },
      Version: '1.0',
    })
  },
)

test('an SDK client with a wrong base path sees success without a URL', async () => {
  await using it = await rig()
  const output = await mediaClient(`${it.emulator.url}/wrong`).send(
    new GetHLSStreamingSessionURLCommand({ StreamName: 'lobby-camera' }),
  )
  expect(output.HLSStreamingSessionURL).toBeUndefined()
})

test('calls without a signature, or with half of one, are refused', async () => {
  await using it = await rig()
  const post = async (headers: Record<string, string>): Promise<string | null> => {
    const response = await fetch(`${it.emulator.url}/describeStream`, {
      method: 'POST',
      headers,
      body: '{"StreamName":"lobby-camera"}',
    })
    expect(response.status).toBe(403)
    return response.headers.get('x-amzn-errortype')
  }
  expect(await post({})).toMatch(/^MissingAuthenticationTokenException:https/)
  expect(await post({ authorization: 'AWS4-HMAC-SHA256 Credential=x' })).toMatch(
    /^IncompleteSignatureException:https/,
  )
})

test('session errors carry both spellings, a Message and CORS', async () => {
  await using it = await rig()
  const answer = await get(`${it.emulator.url}/hls/v1/getHLSMasterPlaylist.m3u8?SessionToken=nope`)
  const type = 'NotAuthorizedException:https://kinesisvideo.amazonaws.com/doc/2017-09-30/'
  expect(answer.status).toBe(403)
  expect(JSON.parse(answer.text)).toEqual({ Message: 'Streaming session token is invalid' })
  expect(answer.headers.get('x-amzn-errortype')).toBe(type)
  expect(answer.headers.get('x-amz-errortype')).toBe(type)
  expect(answer.headers.get('x-amzn-requestid')).toBe(answer.headers.get('x-amz-requestid'))
  expect(answer.headers.get('access-control-allow-origin')).toBe('*')
})

test('a stream is named by its name or its ARN, and by one of them only', async () => {
  await using it = await rig()
  const { arn } = it.emulator.control.camera('lobby-camera')
  expect(arn).toBe(`arn:aws:kinesisvideo:us-west-2:123456789012:stream/lobby-camera/1735689600000`)
  await expect(openSession(it.emulator.url, { StreamARN: arn })).resolves.toContain('SessionToken=')
  await expect(
    openSession(it.emulator.url, { StreamARN: arn, StreamName: 'lobby-camera' }),
  ).rejects.toMatchObject({ name: 'InvalidArgumentException' })
  await expect(openSession(it.emulator.url, {})).rejects.toMatchObject({
    name: 'InvalidArgumentException',
  })
})

test('DescribeStream tells what there is', async () => {
  await using it = await rig()
  const { StreamInfo } = await controlClient(it.emulator.url).send(
    new DescribeStreamCommand({ StreamName: 'yard-camera' }),
  )
  expect(StreamInfo).toMatchObject({
    StreamName: 'yard-camera',
    MediaType: 'video/h264',
    Status: 'ACTIVE',
    CreationTime: new Date(Date.UTC(2025, 0, 1)),
    DataRetentionInHours: 24,
  })
})
