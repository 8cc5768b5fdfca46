import { PEER_FIELDS } from '../peers.ts'
import { isSameSecret } from '../same-secret.ts'
import { EVERYTHING, type Proof } from './proof.ts'

/** Lets in the other nodes, which have judged their viewers themselves and name them. */
export function peerSecret(secret: string): Proof {
  return {
    judge: ({ request: { headers } }) => {
      const { [PEER_FIELDS.secret]: given, [PEER_FIELDS.client]: client } = headers
      if (typeof given !== 'string') return 'missing'
      if (!isSameSecret(given, secret)) return 'invalid'
      return typeof client === 'string' ? { ...EVERYTHING, holder: client } : EVERYTHING
    },
  }
}
