// @ts-check

/**
 * A multivariant playlist without its audio renditions.
 *
 * A wall is silent. Without sound to fetch, each tile needs half the requests, which on HTTP/1.1 share six
 * connections, and the machine decodes no audio that nobody hears. A stream of sound alone stays as it is.
 *
 * @param {string} text
 * @returns {string}
 */
export function withoutAudio(text) {
  const lines = text.split(/\r?\n/)
  const variants = lines.filter((line) => line.startsWith('#EXT-X-STREAM-INF:'))
  const areAllPictures = variants.every((line) => line.includes('RESOLUTION='))
  if (!areAllPictures || !variants.some((line) => line.includes('AUDIO="'))) return text
  return lines
    .filter((line) => !/^#EXT-X-MEDIA:.*\bTYPE=AUDIO\b/.test(line))
    .map((line) => (line.startsWith('#EXT-X-STREAM-INF:') ? silentVariant(line) : line))
    .join('\n')
}

/** RFC 6381 names of the sound codecs that fMP4 carries. */
export const SOUND = /^(mp4a|ac-3|ec-3|ac-4|opus|fLaC|alac)\b/i

/** @param {string} line */
function silentVariant(line) {
  return line
    .replace(/AUDIO="[^"]*",|,?AUDIO="[^"]*"/, '')
    .replace(/CODECS="([^"]*)"/, (_, codecs) => `CODECS="${pictureCodecs(codecs)}"`)
}

/** @param {string} codecs */
function pictureCodecs(codecs) {
  return codecs
    .split(',')
    .filter((codec) => !SOUND.test(codec.trim()))
    .join(',')
}
