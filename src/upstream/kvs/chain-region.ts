/**
 * Finds the region of the SDK's own chain: environment, then shared configuration. The SDK is loaded for the latter alone,
 * because a start waits for this.
 */
export async function chainRegion(): Promise<string | undefined> {
  const { AWS_REGION } = process.env
  if (AWS_REGION !== undefined && AWS_REGION !== '') return AWS_REGION
  const { KinesisVideoClient } = await import('@aws-sdk/client-kinesis-video')
  const client = new KinesisVideoClient({})
  return client.config.region().catch(() => undefined)
}
