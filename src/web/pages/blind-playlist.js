// @ts-check
import { SOUND } from './silent-playlist.js'

/**
 * A multivariant playlist with the sound only: for a stream whose picture is gone, as long as the list still
 * has it. Where the sound has no playlist of its own everything stays as it is.
 *
 * @param {string} text
 * @returns {string}
 */
export function withoutVideo(text) {
  const uri = /^#EXT-X-MEDIA:(?=.*\bTYPE=AUDIO\b).*\bURI="([^"]*)"/m.exec(text)?.[1]
  if (uri === undefined) return text
  const lines = text.split(/\r?\n/).filter((line) => !line.startsWith('#EXT-X-MEDIA:'))
  return lines
    .flatMap((line, i) => {
      const variant = [line, lines[i - 1] ?? ''].find((one) => one.startsWith('#EXT-X-STREAM-INF:'))
      if (variant === undefined) return [line]
      // The picture once more, for players that do not take the sound.
      if (!variant.includes('AUDIO="')) return []
      return [line === variant ? soundVariant(line) : uri]
    })
    .join('\n')
}

/** @param {string} line */
function soundVariant(line) {
  return line
    .replaceAll(/,(?:RESOLUTION|FRAME-RATE)=[^,"]*|,AUDIO="[^"]*"/g, '')
    .replace(/CODECS="([^"]*)"/, (_, codecs) => `CODECS="${soundCodecs(codecs)}"`)
}

/** @param {string} codecs */
function soundCodecs(codecs) {
  return codecs
    .split(',')
    .filter((codec) => SOUND.test(codec.trim()))
    .join(',')
}
