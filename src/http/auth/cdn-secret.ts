import { isSameSecret } from '../same-secret.ts'
import { EVERYTHING, type Proof } from './proof.ts'

/** Lets in whoever shows one of the secrets in this header field, as a CDN does that has judged its viewers itself. */
export function cdnSecret(header: string, secrets: readonly string[]): Proof {
  const name = header.toLowerCase()
  return {
    judge: ({ request }) => {
      const given = request.headers[name]
      if (typeof given !== 'string') return 'missing'
      // All of them, so that the time taken does not tell which one it was.
      const right = secrets.filter((secret) => isSameSecret(given, secret))
      return right.length > 0 ? EVERYTHING : 'invalid'
    },
  }
}
