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

/** A port that is nobody's. */
const REFUSED = 'http://127.0.0.1:2'
/** The top-level domain that no resolver knows. RFC 2606. */
const NOWHERE = 'invalid'

/** Answers with one host, which serves all APIs here, as a shared cell of AWS does. */
export const getDataEndpoint: SignedOperation = ({ camera, body, baseUrl }) => {
  if (!requestSchema.safeParse(body).success) throw invalidArgument('Invalid APIName.')
  const [, , , region] = camera.arn.split(':')
  switch (camera.config.dataHost) {
    case 'own':
      return { DataEndpoint: baseUrl }
    case 'refused':
      return { DataEndpoint: REFUSED }
    case 'unresolvable':
      return { DataEndpoint: `http://b-e0e0e0e0.kinesisvideo.${region}.${NOWHERE}` }
  }
}
