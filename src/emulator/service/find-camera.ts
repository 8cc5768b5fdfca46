import type { Camera } from '../camera/camera.ts'

/** How a call names its stream: by one of the two. */
export interface Identity {
  readonly streamName: string | undefined
  readonly arn: string | undefined
}

export interface CalledFrom {
  /** The region of the signature; none fits cameras of all regions. */
  readonly region: string | undefined
  readonly roleArn: string | undefined
}

/**
 * Finds the stream that a call means. Each region and account has names of its own: of several that fit, the one of the
 * caller's role comes first, then the one of no role; what names the region is before what is in any.
 */
export function findCamera(
  cameras: Iterable<Camera>,
  { streamName, arn }: Identity,
  { region, roleArn }: CalledFrom,
): Camera | undefined {
  const meant = [...cameras].filter((camera) => {
    const named = camera.streamName === streamName || camera.arn === arn
    const here = region === undefined || (camera.config.region ?? region) === region
    return named && here
  })
  const fits = ({ config }: Camera): number => {
    const role = config.roleArn === roleArn ? 2 : Number(config.roleArn === undefined)
    return 2 * role + Number(config.region !== undefined)
  }
  return meant.toSorted((a, b) => fits(b) - fits(a))[0]
}
