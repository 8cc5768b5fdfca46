// @ts-check

/**
 * Where a page lives and what it shows, told from its address.
 *
 * Everything else is addressed relative to `root`, so the pages work below a path prefix as well.
 *
 * @typedef {object} Place
 * @property {string} root      what precedes `play/…` or `wall`, with its closing slash
 * @property {readonly string[]} names   the streams asked for; empty: all of them
 */

const MAX_NAMES = 64

/**
 * @param {string} pathname
 * @param {string} search
 * @returns {Place}
 */
export function placeOf(pathname, search) {
  const play = /^(.*\/)play\/([^/]+)\/?$/.exec(pathname)
  if (play !== null) return { root: play[1] ?? '/', names: [decode(play[2] ?? '')] }
  const wall = /^(.*\/)wall\/?$/.exec(pathname)
  return { root: wall?.[1] ?? '/', names: namesIn(search) }
}

/** @param {string} search */
function namesIn(search) {
  const names = (new URLSearchParams(search).get('streams') ?? '').split(',')
  return [...new Set(names.map((name) => name.trim()).filter(Boolean))].slice(0, MAX_NAMES)
}

/** @param {string} text */
function decode(text) {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/**
 * @param {string} root
 * @param {string} name
 */
export function playlistUrl(root, name) {
  return `${root}hls/${encodeURIComponent(name)}/master.m3u8`
}

/**
 * @param {string} root
 * @param {readonly string[]} names
 */
export function feedUrl(root, names) {
  const query = names.map(encodeURIComponent).join(',')
  return query === '' ? `${root}web/feed` : `${root}web/feed?streams=${query}`
}
