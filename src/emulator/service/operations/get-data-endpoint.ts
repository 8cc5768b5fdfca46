import { z } from 'zod'
import { invalidArgument } from '../kvs-error.ts'
import type { SignedOperation } from '../signed-operation.ts'

const requestSchema = z.object({
  APIName: z.enum([
    'PUT_MEDIA',
    'GET_MEDIA',
    'LIST_FRAGMENTS',
    'GET_MEDIA_FOR_FRAGMENT_LIST',
    'GET_HLS_STREAMING_SESSION_URL',
    'GET_DASH_STREAMING_SESSION_URL',
    'GET_CLIP',
    'GET_IMAGES',
  ]),
})

/** Answers with one host, which serves all APIs here, as a shared cell of AWS does. */
export const getDataEndpoint: SignedOperation = ({ body, baseUrl }) => {
  if (!requestSchema.safeParse(body).success) throw invalidArgument('Invalid APIName.')
  return { DataEndpoint: baseUrl }
}
