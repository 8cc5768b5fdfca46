import type { Delivery } from '../service/delivery.ts'
import { KvsError } from '../service/kvs-error.ts'
import { clockOffsetMs, respond } from '../service/respond.ts'
import type { Service } from '../service/service.ts'
import {
  checkSkew,
  checkStsSignature,
  readSigner,
  type SignedHeaders,
} from '../service/signature.ts'
import { assumeRole, camerasOfRole } from './assume-role.ts'
import { assumedRole, callerIdentity, stsError } from './xml.ts'

const OPERATIONS = ['AssumeRole', 'GetCallerIdentity'] as const

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
  const operation = OPERATIONS.find((name) => name === form.get('Action'))
  const offsetMs = clockOffsetMs(service, camera)
  return respond(
    service,
    {
      operation: operation ?? 'AssumeRole',
      camera,
      session: undefined,
      fragment: undefined,
      track: undefined,
    },
    signal,
    (nowMs, requestId) => {
      const { roleSessions, config } = service
      checkStsSignature(config.stsSigning, request)
      if (config.checkDates || offsetMs !== 0) {
        checkSkew(request, service.date() + offsetMs, 'SignatureDoesNotMatch')
      }
      const { userArn: callerArn } = readSigner(request, roleSessions, nowMs)
      if (operation === undefined) {
        const message = `Could not find operation ${form.get('Action')} for version ${form.get('Version')}`
        throw new KvsError('InvalidAction', 400, message)
      }
      if (operation === 'GetCallerIdentity') return callerIdentity(callerArn, requestId)
      return assumedRole(assumeRole({ form, callerArn, cameras, roleSessions, nowMs }), requestId)
    },
    stsError,
  )
}
