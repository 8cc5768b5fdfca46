// @ts-check

/** The problem codes of the gateway, in a viewer's words: what is wrong, and who can do something. */
const WORDS = new Map([
  ['stream_not_found', 'There is no stream of this name.'],
  ['upstream_stream_not_found', 'The camera’s stream does not exist any more.'],
  ['no_media', 'The camera is not sending a picture.'],
  ['upstream_not_authorized', 'The gateway is not allowed to read this camera.'],
  ['upstream_unsupported_media', 'The camera sends a format that browsers cannot play.'],
  ['upstream_codec_private_data', 'The camera’s description of its video is unusable.'],
  ['upstream_no_retention', 'The camera’s stream is set up to keep no data.'],
  ['upstream_throttled', 'Too many requests for this camera. It comes back by itself.'],
  ['upstream_unavailable', 'The video service does not answer. It comes back by itself.'],
  ['upstream_timeout', 'The video service is too slow. It comes back by itself.'],
  ['unauthenticated', 'You are not signed in.'],
  ['forbidden', 'You may not see this camera.'],
  ['overloaded', 'The gateway is busy. It comes back by itself.'],
])

/**
 * @param {string | null | undefined} code
 * @returns {string}
 */
export function reasonInWords(code) {
  if (code === null || code === undefined) return ''
  return WORDS.get(code) ?? 'The gateway cannot show this camera now.'
}
