import type { CameraConfig } from '../config.ts'
import { KvsError } from './kvs-error.ts'

const AUTHORIZATION =
  /^AWS4-HMAC-SHA256 Credential=[^/\s]+\/\d{8}\/[a-z0-9-]+\/kinesisvideo\/aws4_request, ?SignedHeaders=([a-z0-9;-]+), ?Signature=[0-9a-f]{64}$/
const AMZ_DATE = /^\d{8}T\d{6}Z$/

export interface SignedHeaders {
  readonly authorization: string | undefined
  readonly date: string | undefined
}

/** Refuses a signed call as AWS would. Signatures are not computed: only their shape is looked at. */
export function checkSignature(
  mode: CameraConfig['signing'],
  headers: SignedHeaders,
  operation: string,
  resource: string,
): void {
  switch (mode) {
    case 'off':
      return
    case 'shape':
      checkShape(headers)
      return
    case 'deny':
      throw new KvsError('AccessDeniedException', 403, deniedText(operation, resource))
    case 'not-authorized':
      throw new KvsError('NotAuthorizedException', 401, deniedText(operation, resource))
    case 'expired-token':
      throw new KvsError(
        'ExpiredTokenException',
        403,
        'The security token included in the request is expired',
      )
    case 'signature-expired':
      throw new KvsError('InvalidSignatureException', 403, `Signature expired: ${headers.date}`)
  }
}

function deniedText(operation: string, resource: string): string {
  return `User: arn:aws:iam::123456789012:user/viewer is not authorized to perform: kinesisvideo:${operation} on resource: ${resource}`
}

function checkShape({ authorization, date }: SignedHeaders): void {
  if (authorization === undefined) {
    throw new KvsError('MissingAuthenticationTokenException', 403, 'Missing Authentication Token')
  }
  const signed = AUTHORIZATION.exec(authorization)?.[1]?.split(';') ?? []
  if (!signed.includes('host') || !AMZ_DATE.test(date ?? '')) {
    const message =
      'Authorization header requires a well-formed Credential, SignedHeaders, Signature.'
    throw new KvsError('IncompleteSignatureException', 403, message)
  }
}
