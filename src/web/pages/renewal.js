// @ts-check

const WITHIN_MS = 30_000
const KEY = 'renewed-for'

/**
 * A wall stays open for months; after an upgrade of the gateway it loads the new pages by itself.
 *
 * Once per version and tab: while two versions serve side by side, a page must not flap between them.
 *
 * @param {string} own       the version of this page
 * @param {string} offered   the version that the gateway serves now
 * @param {() => number} random
 */
export function renewFor(own, offered, random) {
  if (own === offered || sessionStorage.getItem(KEY) === offered) return
  sessionStorage.setItem(KEY, offered)
  setTimeout(() => location.reload(), random() * WITHIN_MS)
}
