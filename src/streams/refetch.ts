import { endOf, payloadStart } from '../formats/mp4/boxes.ts'
import { findFirstMdat } from '../formats/mp4/media-structure.ts'
import { type FragmentPlace, rewriteHead, rewriteMedia } from '../formats/mp4/rewrite.ts'
import type { StreamedBody } from '../upstream/session-http.ts'

/**
 * A fragment that is fetched again, with its published times written in, byte for byte as it was
 * published, handed on while it arrives. A fragment of several chunks has to be there in full first.
 * @param offset how many bytes of the result the reader has already
 * @throws Mp4Error when upstream's bytes are no fragment; what the body throws when it is cut
 */
export async function* retimed(
  { size, body }: StreamedBody,
  place: FragmentPlace,
  offset: number,
): AsyncGenerator<Buffer> {
  let skip = offset
  for await (const chunk of rewritten(body, size, place)) {
    if (skip < chunk.length) yield chunk.subarray(skip)
    skip = Math.max(0, skip - chunk.length)
  }
}

async function* rewritten(
  body: AsyncIterable<Buffer>,
  size: number,
  place: FragmentPlace,
): AsyncGenerator<Buffer> {
  let gathered: Buffer = Buffer.alloc(0)
  let passing = false
  for await (const chunk of body) {
    if (passing) {
      yield chunk
      continue
    }
    gathered = Buffer.concat([gathered, chunk])
    const mdat = findFirstMdat(gathered)
    if (mdat === undefined || endOf(mdat) !== size) continue
    passing = true
    yield rewriteHead(gathered.subarray(0, payloadStart(mdat)), place).head
    yield gathered.subarray(payloadStart(mdat))
  }
  if (!passing) yield rewriteMedia(gathered, place)
}
