// @ts-check

/** @typedef {import('./feed.js').FeedAnswer} FeedAnswer */

const SIGNED_OUT = 'You are not signed in. Sign in again where you came from.'
/** By the `reason` of the problem document. */
const WORDS = new Map([
  ['expired', 'This link has expired. Ask for a new one, or sign in again.'],
  ['invalid', 'This link is not valid. Ask for a new one, or sign in again.'],
])

/** The gateway says that whoever looks at this page may not. */
export class Refused extends Error {
  /** @override */
  name = 'Refused'
}

/**
 * Reads an answer about streams.
 *
 * @param {Response} response
 * @returns {Promise<FeedAnswer>}
 * @throws {Refused}   with words for the viewer
 */
export async function readAnswer(response) {
  if (response.ok) return /** @type {Promise<FeedAnswer>} */ (response.json())
  if (response.status === 403) throw new Refused('You may not see this.')
  if (response.status !== 401) throw new Error(`the gateway answered ${response.status}`)
  // A proxy's own refusal has no such reason, nor need it be JSON.
  const problem = /** @type {{ reason?: unknown } | null} */ (
    await response.json().catch(() => null)
  )
  throw new Refused(WORDS.get(String(problem?.reason)) ?? SIGNED_OUT)
}
