import { KvsError } from './kvs-error.ts'

/** The IAM actions of what the emulator answers. KVS.md, section 6.1. */
export const ACTIONS = [
  'kinesisvideo:GetDataEndpoint',
  'kinesisvideo:DescribeStream',
  'kinesisvideo:GetHLSStreamingSessionURL',
  'kinesisvideo:ListFragments',
  'kinesisvideo:GetMediaForFragmentList',
  'kinesisvideo:DescribeStreamStorageConfiguration',
  'kinesisvideo:ListTagsForStream',
  'kinesisvideo:ListStreams',
] as const

/** Which policy refuses: by leaving the action out, or by an explicit deny. */
export const DENIED_BY = ['unsaid', 'identity', 'session', 'boundary', 'explicit', 'scp'] as const
type DeniedBy = (typeof DENIED_BY)[number]

/**
 * Returns how IAM ends its sentence. The endings are IAM's own, for all services (IAM User Guide, access denied error
 * messages); that KVS has any has not been seen.
 */
function because(action: string, by: DeniedBy): string {
  switch (by) {
    case 'unsaid':
      return ''
    case 'identity':
      return ` because no identity-based policy allows the ${action} action`
    case 'session':
      return ` because no session policy allows the ${action} action`
    case 'boundary':
      return ` because no permissions boundary allows the ${action} action`
    case 'explicit':
      return ' with an explicit deny in an identity-based policy'
    case 'scp':
      return ' with an explicit deny in a service control policy'
  }
}

/** Whoever signs with credentials that AssumeRole did not give out. */
export const USER_ARN = 'arn:aws:iam::123456789012:user/viewer'

export interface Refusal {
  readonly userArn: string
  readonly action: string
  readonly resource: string
  readonly by?: DeniedBy | undefined
}

export function deniedText({ userArn, action, resource, by = 'unsaid' }: Refusal): string {
  const end = because(action, by)
  return `User: ${userArn} is not authorized to perform: ${action} on resource: ${resource}${end}`
}

/** Words a refusal as IAM does. KVS.md, section 7.2. */
export function accessDenied(refusal: Refusal): KvsError {
  return new KvsError('AccessDeniedException', 403, deniedText(refusal))
}
