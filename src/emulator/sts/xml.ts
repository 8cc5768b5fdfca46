import type { Answer } from '../service/answer.ts'
import type { KvsError } from '../service/kvs-error.ts'
import type { RoleSession } from './role-sessions.ts'

const NAMESPACE = 'https://sts.amazonaws.com/doc/2011-06-15/'
const SERVER_ERRORS = 500

/** Writes the answer of AssumeRole in XML, which STS speaks, unlike KVS. */
export function assumedRole(session: RoleSession, requestId: string): Answer {
  const credentials = [
    element('AccessKeyId', session.accessKeyId),
    element('SecretAccessKey', session.secretAccessKey),
    element('SessionToken', session.sessionToken),
    element('Expiration', new Date(session.expiresMs).toISOString()),
  ]
  const user = [
    element('AssumedRoleId', `AROAEMULATED:${session.userArn.split('/').at(-1)}`),
    element('Arn', session.userArn),
  ]
  return xmlAnswer(
    200,
    'AssumeRoleResponse',
    `<AssumeRoleResult><AssumedRoleUser>${user.join('')}</AssumedRoleUser>` +
      `<Credentials>${credentials.join('')}</Credentials></AssumeRoleResult>` +
      `<ResponseMetadata>${element('RequestId', requestId)}</ResponseMetadata>`,
  )
}

/** Says who signed, as GetCallerIdentity does. */
export function callerIdentity(userArn: string, requestId: string): Answer {
  const identity = [
    element('Arn', userArn),
    element(
      'UserId',
      `AIDAEMULATED${userArn.includes(':assumed-role/') ? `:${userArn.split('/').at(-1)}` : ''}`,
    ),
    element('Account', userArn.split(':')[4] ?? ''),
  ]
  return xmlAnswer(
    200,
    'GetCallerIdentityResponse',
    `<GetCallerIdentityResult>${identity.join('')}</GetCallerIdentityResult>` +
      `<ResponseMetadata>${element('RequestId', requestId)}</ResponseMetadata>`,
  )
}

/** Writes an error as STS words it: the exception's name is its Code. */
export function stsError({ type, status, message }: KvsError, requestId: string): Answer {
  const side = element('Type', status >= SERVER_ERRORS ? 'Receiver' : 'Sender')
  const error = `<Error>${side}${element('Code', type)}${element('Message', message)}</Error>`
  return xmlAnswer(status, 'ErrorResponse', error + element('RequestId', requestId))
}

function xmlAnswer(status: number, root: string, content: string): Answer {
  const body = Buffer.from(`<${root} xmlns="${NAMESPACE}">${content}</${root}>\n`)
  return { status, headers: { 'content-type': 'text/xml' }, body }
}

function element(name: string, text: string): string {
  const escaped = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
  return `<${name}>${escaped}</${name}>`
}
