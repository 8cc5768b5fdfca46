import type { SignedOperation } from '../signed-operation.ts'

/** Answers with all tags at once: there are at most 50. */
export const listTagsForStream: SignedOperation = ({ camera }) => ({ Tags: camera.config.tags })
