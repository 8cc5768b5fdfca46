import type { SignedOperation } from '../signed-operation.ts'

export const describeStreamStorageConfiguration: SignedOperation = ({ camera }) => ({
  StreamName: camera.streamName,
  StreamARN: camera.arn,
  StreamStorageConfiguration: { DefaultStorageTier: camera.config.storageTier },
})
