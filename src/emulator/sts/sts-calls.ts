import type { Delivery } from '../service/delivery.ts'
import { KvsError } from '../service/kvs-error.ts'
import { respond } from '../service/respond.ts'
import type { Service } from '../service/service.ts'
import { checkHeader, checkSkew, readSigner, type SignedHeaders } from '../service/signature.ts'
import { assumeRole, camerasOfRole } from './assume-role.ts'
import { assumedRole, stsError } from './xml.ts'

const FORM = 'application/x-www-form-urlencoded'

/** Says whether a call is for STS. STS and KVS share our one address; only STS is asked by a form, and at `/`. */
export function isStsCall(contentType: string | undefined): boolean {
  return contentType?.split(';')[0]?.trim().toLowerCase() === FORM
}

export interface StsRequest extends SignedHeaders {
  readonly text: string
}

/**
 * Answers one call of the Security Token Service. It has the faults and the latency of the first camera
 * of the role that is asked for, and is counted there.
 */
export async function answerSts(
  service: Service,
  request: StsRequest,
  signal: AbortSignal,
): Promise<Delivery> {
  const form = new Map(new URLSearchParams(request.text))
  const cameras = [...service.cameras.values()]
  const [camera] = camerasOfRole(cameras, form.get('RoleArn'))
  const caller = { operation: 'AssumeRole', camera } as const
  return respond(
    service,
    { ...caller, session: undefined, fragment: undefined, track: undefined },
    signal,
    (nowMs, requestId) => {
      checkHeader(request, 'sts')
      if (service.config.checkDates) checkSkew(request, service.date(), 'SignatureDoesNotMatch')
      if (form.get('Action') !== 'AssumeRole') {
        const message = `Could not find operation ${form.get('Action')} for version ${form.get('Version')}`
        throw new KvsError('InvalidAction', 400, message)
      }
      const { roleSessions } = service
      const { userArn: callerArn } = readSigner(request, roleSessions, nowMs)
      return assumedRole(assumeRole({ form, callerArn, cameras, roleSessions, nowMs }), requestId)
    },
    stsError,
  )
}
