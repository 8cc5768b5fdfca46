import { z } from 'zod'
import { type CameraConfig, type CameraConfigInput, cameraConfigSchema } from '../config.ts'

/** The keys that make a camera what it is, so that a different one needs another name. */
const FIXED = [
  'clip',
  'frameStepsMs',
  'join',
  'recording',
  'keyFrameDelay',
  'anchorMs',
  'streamName',
  'region',
  'roleArn',
  'events',
  'faults',
] as const

export type CameraPatch = Partial<Omit<CameraConfigInput, (typeof FIXED)[number]>>

const patchSchema = z
  .looseObject({ quotas: z.looseObject({}).optional() })
  .superRefine((patch, ctx) => {
    for (const key of FIXED.filter((name) => name in patch)) {
      ctx.addIssue({ code: 'custom', path: [key], message: 'cannot be changed while it runs' })
    }
  })

/** Lays a patch over a configuration. Throws ZodError. */
export function patchConfig(config: CameraConfig, patch: unknown): CameraConfig {
  const checked = patchSchema.parse(patch)
  const quotas = { ...config.quotas, ...checked.quotas }
  return cameraConfigSchema.parse({ ...config, ...checked, quotas })
}
