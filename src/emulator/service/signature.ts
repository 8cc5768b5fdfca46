import type { CameraConfig, CheckedEmulatorConfig } from '../config.ts'
import type { RoleSessions } from '../sts/role-sessions.ts'
import { accessDenied, deniedText, USER_ARN } from './denial.ts'
import { KvsError } from './kvs-error.ts'

const AUTHORIZATION =
  /^AWS4-HMAC-SHA256 Credential=([^/\s]+)\/\d{8}\/([a-z0-9-]+)\/([a-z]+)\/aws4_request, ?SignedHeaders=([a-z0-9;-]+), ?Signature=[0-9a-f]{64}$/
const AMZ_DATE = /^\d{8}T\d{6}Z$/
const TOKEN_EXPIRED = 'The security token included in the request is expired'
const UNKNOWN_KEY = 'The security token included in the request is invalid.'
const WRONG_SECRET =
  'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.'

export interface SignedHeaders {
  readonly authorization: string | undefined
  readonly date: string | undefined
  /** The `x-amz-security-token`, which comes with temporary credentials. */
  readonly securityToken: string | undefined
}

/** Who signed a call, and for which region. */
export interface Signer {
  readonly userArn: string
  /** The role whose temporary credentials were used, if we gave them out. */
  readonly roleArn: string | undefined
}

/** Returns the region of the credential scope; none when there is no well-formed signature. */
export function signedRegion({ authorization }: SignedHeaders): string | undefined {
  return AUTHORIZATION.exec(authorization ?? '')?.[2]
}

/** Returns the role that the call's access key was given out for, whether or not it is still good. */
export function claimedRole(
  { authorization }: SignedHeaders,
  sessions: RoleSessions,
): string | undefined {
  return sessions.find(AUTHORIZATION.exec(authorization ?? '')?.[1] ?? '')?.roleArn
}

/**
 * Reads who signed. Throws when temporary credentials of ours have expired or are incomplete. All others are believed.
 */
export function readSigner(headers: SignedHeaders, sessions: RoleSessions, nowMs: number): Signer {
  const key = AUTHORIZATION.exec(headers.authorization ?? '')?.[1] ?? ''
  const session = sessions.find(key)
  if (session === undefined) return { userArn: USER_ARN, roleArn: undefined }
  if (session.sessionToken !== headers.securityToken) {
    throw new KvsError('UnrecognizedClientException', 403, UNKNOWN_KEY)
  }
  if (nowMs >= session.expiresMs) throw tokenExpired()
  return session
}

/** Refuses a signed call of KVS as AWS would. Signatures are not computed: only their shape is looked at. */
export function checkSignature(
  mode: CameraConfig['signing'],
  headers: SignedHeaders,
  operation: string,
  resource: string,
): void {
  const refusal = { userArn: USER_ARN, action: `kinesisvideo:${operation}`, resource }
  switch (mode) {
    case 'off':
      return
    case 'shape':
      checkHeader(headers, 'kinesisvideo')
      return
    case 'deny':
      throw accessDenied(refusal)
    case 'not-authorized':
      throw new KvsError('NotAuthorizedException', 401, deniedText(refusal))
    case 'expired-token':
      throw tokenExpired()
    case 'signature-expired':
      throw new KvsError('InvalidSignatureException', 403, `Signature expired: ${headers.date}`)
    case 'unknown-key':
      throw new KvsError('UnrecognizedClientException', 403, UNKNOWN_KEY)
    case 'wrong-secret':
      throw new KvsError('InvalidSignatureException', 403, WRONG_SECRET)
  }
}

/** Refuses a signed call of STS, which has names of its own for the same. */
export function checkStsSignature(
  mode: CheckedEmulatorConfig['stsSigning'],
  headers: SignedHeaders,
): void {
  switch (mode) {
    case 'shape':
      checkHeader(headers, 'sts')
      return
    case 'expired-token':
      throw new KvsError('ExpiredToken', 403, TOKEN_EXPIRED)
    case 'unknown-key':
      throw new KvsError('InvalidClientTokenId', 403, UNKNOWN_KEY)
    case 'wrong-secret':
      throw new KvsError('SignatureDoesNotMatch', 403, WRONG_SECRET)
  }
}

function tokenExpired(): KvsError {
  return new KvsError('ExpiredTokenException', 403, TOKEN_EXPIRED)
}

/** How far a signature's date may be off. AWS, Signature Version 4: five minutes. */
const MAX_SKEW_MS = 5 * 60_000

/**
 * Throws when the call was signed by a clock that is too far off.
 * @param type how the service names that
 */
export function checkSkew({ date = '' }: SignedHeaders, nowMs: number, type: string): void {
  const signedMs = Date.parse(
    date.replace(/^(\d{4})(\d\d)(\d\dT\d\d)(\d\d)(\d\dZ)$/, '$1-$2-$3:$4:$5'),
  )
  const limit = `${amzDate(nowMs)} ${signedMs < nowMs ? '-' : '+'} 5 min.`
  if (signedMs < nowMs - MAX_SKEW_MS) {
    const edge = amzDate(nowMs - MAX_SKEW_MS)
    throw new KvsError(
      type,
      403,
      `Signature expired: ${date} is now earlier than ${edge} (${limit})`,
    )
  }
  if (signedMs > nowMs + MAX_SKEW_MS) {
    const edge = amzDate(nowMs + MAX_SKEW_MS)
    throw new KvsError(
      type,
      403,
      `Signature not yet current: ${date} is still later than ${edge} (${limit})`,
    )
  }
}

function amzDate(ms: number): string {
  return new Date(ms).toISOString().replace(/[:-]|\.\d{3}/g, '')
}

/** Throws when the call is not signed for this service, as far as its headers tell. */
function checkHeader({ authorization, date }: SignedHeaders, service: string): void {
  if (authorization === undefined) {
    throw new KvsError('MissingAuthenticationTokenException', 403, 'Missing Authentication Token')
  }
  const [, , , scope, names = ''] = AUTHORIZATION.exec(authorization) ?? []
  if (scope !== service || !names.split(';').includes('host') || !AMZ_DATE.test(date ?? '')) {
    const message =
      'Authorization header requires a well-formed Credential, SignedHeaders, Signature.'
    throw new KvsError('IncompleteSignatureException', 403, message)
  }
}
