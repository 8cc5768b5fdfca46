import { expect, test } from 'vitest'
import { DeadlineError } from '../../src/base/deadline.ts'
import { GatewayError } from '../../src/base/errors.ts'
import {
  failureLabel,
  faultCode,
  faultError,
  isClearRefusal,
  isTransient,
  translate,
  unusableAnswer,
} from '../../src/upstream/errors.ts'
import { SessionDeadError } from '../../src/upstream/session-dead-error.ts'

const named = (name: string, message = '', extra: object = {}): Error =>
  Object.assign(new Error(message), { name }, extra)

test.each([
  [
    'ResourceNotFoundException',
    'No fragments found in the stream for the streaming request.',
    'no_media',
  ],
  [
    'ResourceNotFoundException',
    'No fragments found in the stream for the HLS streaming request.',
    'no_media',
  ],
  [
    'ResourceNotFoundException',
    'The requested stream is not found or not active.',
    'upstream_stream_not_found',
  ],
  ['NotAuthorizedException', '', 'upstream_not_authorized'],
  ['AccessDeniedException', 'User: arn:… is not authorized', 'upstream_not_authorized'],
  ['ExpiredTokenException', '', 'upstream_not_authorized'],
  ['InvalidClientTokenId', '', 'upstream_not_authorized'],
  ['InvalidSignatureException', 'Signature expired: …', 'upstream_not_authorized'],
  [
    'CredentialsProviderError',
    'Could not load credentials from any providers',
    'upstream_not_authorized',
  ],
  ['ClientLimitExceededException', '', 'upstream_throttled'],
  ['ThrottlingException', '', 'upstream_throttled'],
  ['UnsupportedStreamMediaTypeException', '', 'upstream_unsupported_media'],
  ['MissingCodecPrivateDataException', '', 'upstream_codec_private_data'],
  ['InvalidCodecPrivateDataException', '', 'upstream_codec_private_data'],
  ['NoDataRetentionException', '', 'upstream_no_retention'],
  ['InternalFailure', '', 'upstream_unavailable'],
  ['ServiceUnavailable', '', 'upstream_unavailable'],
  ['SyntaxError', 'Unexpected token <', 'upstream_unavailable'],
  ['UnknownOperationException', '', 'upstream_unavailable'],
  ['RequestTimeoutException', '', 'upstream_timeout'],
] as const)('%s (%s) is %s', (name, message, code) => {
  expect(translate(named(name, message))).toMatchObject({ code })
})

test.each([
  [{ name: '', message: 'Signature expired: …', status: 403 }, 'upstream_not_authorized'],
  [{ name: 'Unknown', message: '', status: 401 }, 'upstream_not_authorized'],
  [
    {
      name: '',
      message: 'Unable to determine service/operation name to be authorized',
      status: 403,
    },
    'upstream_unavailable',
  ],
  [{ name: '', message: '', status: 429 }, 'upstream_throttled'],
  [{ name: '', message: '', status: 404 }, 'no_media'],
  [{ name: '', message: '', status: 503 }, 'upstream_unavailable'],
] as const)('without a known name, status and words decide: %o', (fault, code) => {
  expect(faultCode(fault)).toBe(code)
})

test('a time-out is told from a reset, which the SDK calls a time-out too', () => {
  expect(translate(new DeadlineError('x', 5))).toMatchObject({ code: 'upstream_timeout' })
  expect(translate(named('TimeoutError', '', { code: 'ETIMEDOUT' }))).toMatchObject({
    code: 'upstream_timeout',
  })
  expect(translate(named('TimeoutError', '', { code: 'ECONNRESET' }))).toMatchObject({
    code: 'upstream_unavailable',
  })
})

test('the AWS request id is kept, the words of AWS are not shown to viewers', () => {
  const error = translate(
    named('AccessDeniedException', 'User: arn:aws:iam::123456789012:user/x is not authorized', {
      $metadata: { httpStatusCode: 403, requestId: 'abc-123' },
    }),
  )
  expect(error).toMatchObject({ upstreamRequestId: 'abc-123' })
  expect(error.message).not.toContain('123456789012')
  expect(error.cause).toMatchObject({ name: 'AccessDeniedException', status: 403 })
})

test('our own errors pass unchanged', () => {
  const ours = new GatewayError('no_media', 'x')
  const dead = new SessionDeadError()
  expect(translate(ours)).toBe(ours)
  expect(translate(dead)).toBe(dead)
})

test('a clear refusal is told from trouble that passes', () => {
  const answered = (status: number): GatewayError =>
    faultError({ name: 'InvalidArgumentException', message: '', status })
  expect(isClearRefusal(answered(400))).toBe(true)
  expect(isClearRefusal(answered(500))).toBe(false)
  expect(isClearRefusal(new GatewayError('upstream_not_authorized', ''))).toBe(true)
  expect(isClearRefusal(unusableAnswer('garbage'))).toBe(false)
  expect(isClearRefusal(new GatewayError('no_media', ''))).toBe(false)
})

test('trouble is transient, a clear answer is not', () => {
  const answered = (status: number): GatewayError =>
    faultError({ name: '', message: '', status }, 'upstream_unavailable')
  expect(isTransient(answered(503))).toBe(true)
  for (const status of [202, 204, 304, 408, 416, 421, 425])
    expect(isTransient(answered(status))).toBe(true)
  expect(isTransient(answered(400))).toBe(false)
  expect(isTransient(answered(302))).toBe(false)
  expect(isTransient(unusableAnswer('garbage'))).toBe(true)
  expect(isTransient(new SessionDeadError())).toBe(false)
  expect(isTransient(new GatewayError('no_media', ''))).toBe(false)
})

test.each([
  [new SessionDeadError(), '403'],
  [faultError({ name: 'ThrottlingException', message: '', status: 400 }), 'upstream_throttled'],
  [faultError({ name: '', message: '', status: 503 }), '503'],
  [unusableAnswer('garbage'), 'upstream_unavailable'],
  [named('FromUpstream_1234'), 'upstream_unavailable'],
])('metric labels are few: %s', (error, label) => {
  expect(failureLabel(error)).toBe(label)
})
