import type { SignedOperation } from '../signed-operation.ts'

export const describeStream: SignedOperation = ({ camera }) => ({
  StreamInfo: {
    DeviceName: camera.streamName,
    StreamName: camera.streamName,
    StreamARN: camera.arn,
    MediaType:
      camera.clip.video[0]?.codec.startsWith('hvc1') === true ? 'video/h265' : 'video/h264',
    KmsKeyId: `${camera.arn.split(':stream/')[0]?.replace('kinesisvideo', 'kms')}:alias/aws/kinesisvideo`,
    Version: 'EmulatedVersion0001',
    Status: camera.config.status,
    CreationTime: camera.config.anchorMs / 1000,
    DataRetentionInHours: camera.config.retentionHours,
  },
})
