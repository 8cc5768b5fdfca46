import { master, text } from './ebml.ts'

const TAGS = 0x1254c367
const TAG = 0x7373
const SIMPLE_TAG = 0x67c8
const TAG_NAME = 0x45a3
const TAG_STRING = 0x4487
const SIZE_BYTES = 4

/** Writes what the service says of a fragment: every size takes four bytes, as in all captures. */
export function writeTags(tags: Readonly<Record<string, string>>): Buffer {
  const simple = Object.entries(tags).map(([name, value]) => {
    const parts = [
      text(TAG_NAME, `AWS_KINESISVIDEO_${name}`, SIZE_BYTES),
      text(TAG_STRING, value, SIZE_BYTES),
    ]
    return master(SIMPLE_TAG, parts, SIZE_BYTES)
  })
  return master(TAGS, [master(TAG, simple, SIZE_BYTES)], SIZE_BYTES)
}
