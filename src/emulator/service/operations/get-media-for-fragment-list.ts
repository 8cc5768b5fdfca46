import { z } from 'zod'
import type { Camera } from '../../camera/camera.ts'
import { writeChunk, writeErrorChunk } from '../../matroska/chunk.ts'
import { invalidArgument } from '../kvs-error.ts'
import { spendPoints } from '../limits.ts'
import type { SignedOperation } from '../signed-operation.ts'

const requestSchema = z.object({
  Fragments: z
    .array(z.string().regex(/^[0-9]{1,128}$/))
    .min(1)
    .max(1000),
})

/**
 * Answers with one Matroska document after another. What goes wrong with one of them is told in its place, because the
 * status has long been sent.
 */
export const getMediaForFragmentList: SignedOperation = ({ camera, body, nowMs }) => {
  const { data } = requestSchema.safeParse(body)
  if (data === undefined) throw invalidArgument('Fragment numbers are invalid')
  spendPoints(camera, 'mediaPoints', data.Fragments.length, nowMs)
  return Buffer.concat(data.Fragments.map((number) => chunk(camera, number, nowMs)))
}

function chunk(camera: Camera, number: string, nowMs: number): Buffer {
  const { kms, fragmentError } = camera.config
  if (fragmentError !== undefined) return writeErrorChunk(fragmentError, number)
  if (kms === 'access-denied') return writeErrorChunk(4500, number)
  if (kms === 'key-disabled') return writeErrorChunk(4501, number)
  const fragment = camera.timeline.find(BigInt(number))
  const isThere =
    fragment !== undefined &&
    fragment.listedAtMs <= nowMs &&
    fragment.serverMs >= camera.oldestMs(nowMs)
  return isThere ? writeChunk(camera, fragment) : writeErrorChunk(3000, number)
}
