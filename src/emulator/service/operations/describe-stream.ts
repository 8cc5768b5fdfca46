import type { Camera } from '../../camera/camera.ts'
import type { Clip } from '../../media/clip.ts'
import type { SignedOperation } from '../signed-operation.ts'

export const describeStream: SignedOperation = ({ camera, nowMs }) => ({
  StreamInfo: streamInfo(camera, nowMs),
})

/** Describes a stream as DescribeStream and ListStreams do. */
export function streamInfo(camera: Camera, nowMs: number): Record<string, unknown> {
  const { slots } = camera.timeline
  return {
    DeviceName: camera.streamName,
    StreamName: camera.streamName,
    StreamARN: camera.arn,
    MediaType: camera.config.mediaType ?? mediaType(slots.clipOf(slots.at(nowMs))),
    KmsKeyId: camera.kmsKeyArn,
    Version: 'EmulatedVersion0001',
    Status: camera.config.status,
    CreationTime: camera.config.anchorMs / 1000,
    DataRetentionInHours: camera.config.retentionHours,
  }
}

function mediaType({ video }: Clip): string {
  const [track] = video
  if (track === undefined) return 'audio/aac'
  return track.entry.type === 'hvc1' ? 'video/h265' : 'video/h264'
}
