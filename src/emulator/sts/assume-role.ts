import { z } from 'zod'
import type { Camera } from '../camera/camera.ts'
import { KvsError } from '../service/kvs-error.ts'
import type { RoleSession, RoleSessions } from './role-sessions.ts'

const parametersSchema = z.object({
  RoleArn: z.string().regex(/^arn:aws[a-z-]*:iam::\d{12}:role\/[\w+=,.@/-]+$/),
  RoleSessionName: z.string().regex(/^[\w+=,.@-]{2,64}$/),
  ExternalId: z
    .string()
    .regex(/^[\w+=,.@:/-]{2,1224}$/)
    .optional(),
  DurationSeconds: z.coerce.number().int().min(900).max(43_200).default(3600),
})

/** Returns the cameras that only this role may read; without one, the account has no such role. */
export function camerasOfRole(
  cameras: Iterable<Camera>,
  roleArn: string | undefined,
): readonly Camera[] {
  return [...cameras].filter(({ config }) => roleArn !== undefined && config.roleArn === roleArn)
}

export interface AssumeRoleCall {
  /** The fields of the form. */
  readonly form: ReadonlyMap<string, string>
  readonly callerArn: string
  readonly cameras: readonly Camera[]
  readonly roleSessions: RoleSessions
  readonly nowMs: number
}

/** Gives out temporary credentials. Throws KvsError as STS refuses, also when the role is not there. */
export function assumeRole(call: AssumeRoleCall): RoleSession {
  const { form, callerArn, cameras, roleSessions, nowMs } = call
  const { data, error } = parametersSchema.safeParse(Object.fromEntries(form))
  if (data === undefined) {
    const [name = 'Action'] = error.issues[0]?.path ?? []
    const message = `1 validation error detected: Value at '${String(name)}' failed to satisfy constraint`
    throw new KvsError('ValidationError', 400, message)
  }
  const trusted = camerasOfRole(cameras, data.RoleArn).some(({ config }) => {
    return config.externalId === undefined || config.externalId === data.ExternalId
  })
  if (!trusted) {
    const message = `User: ${callerArn} is not authorized to perform: sts:AssumeRole on resource: ${data.RoleArn}`
    throw new KvsError('AccessDenied', 403, message)
  }
  return roleSessions.issue({
    roleArn: data.RoleArn,
    sessionName: data.RoleSessionName,
    expiresMs: nowMs + data.DurationSeconds * 1000,
  })
}
