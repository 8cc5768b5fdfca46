// @ts-check

/** @typedef {import('./hls-engine.js').Engine} Engine */
/** @typedef {import('./hls-engine.js').EngineOptions} EngineOptions */

/**
 * Safari without Media Source Extensions plays HLS itself; all we can do for it is to set its source anew.
 *
 * @param {EngineOptions} options
 * @returns {Engine}
 */
export function nativeEngine({ video, url, onTrouble }) {
  const listening = new AbortController()
  const load = () => {
    video.src = url
    video.load()
  }
  const edge = () => {
    const { seekable } = video
    if (seekable.length > 0) video.currentTime = seekable.end(seekable.length - 1)
  }
  const fail = () =>
    onTrouble(video.error?.code === MediaError.MEDIA_ERR_DECODE ? 'media' : 'manifest')
  video.addEventListener('error', fail, { signal: listening.signal })
  load()
  return {
    reload: load,
    recover: load,
    edge,
    rest: () => {},
    resume: load,
    destroy: () => {
      listening.abort()
      video.removeAttribute('src')
      video.load()
    },
    shownAt: () => shownAt(video),
  }
}

/**
 * `getStartDate` is Safari's: the date of the media's time zero, from EXT-X-PROGRAM-DATE-TIME.
 *
 * @param {HTMLVideoElement & { getStartDate?: () => Date }} video
 */
function shownAt(video) {
  const start = video.getStartDate?.().getTime()
  if (start === undefined || Number.isNaN(start)) return undefined
  return start + video.currentTime * 1000
}
