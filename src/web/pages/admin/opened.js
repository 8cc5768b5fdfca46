// @ts-check

/**
 * Which streams are open, in the page's address: so it stays over a reload, and can be handed to a colleague.
 *
 * @param {string} hash
 * @returns {string[]}
 */
export function openedIn(hash) {
  return hash
    .replace(/^#/, '')
    .split('&')
    .filter((name) => name !== '')
    .map(decoded)
}

/**
 * @param {readonly string[]} names
 * @returns {string}   `#lobby&gate`; a lone `#` for none
 */
export function hashOf(names) {
  return `#${names.map(encodeURIComponent).join('&')}`
}

/** @param {string} text */
function decoded(text) {
  try {
    return decodeURIComponent(text)
  } catch {
    // Nobody's name: an address that somebody has typed.
    return text
  }
}
