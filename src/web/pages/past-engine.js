// @ts-check
/** @typedef {typeof import('hls.js').default} HlsClass */

/**
 * Plays a list of the past into a video element, until destroyed. Times in milliseconds since 1970.
 *
 * @typedef {object} PastEngine
 * @property {(ms: number) => void} seek   to the picture of that time, or the nearest that there is
 * @property {() => number | undefined} shownAt
 * @property {() => void} destroy
 *
 * @typedef {object} PastOptions
 * @property {HTMLVideoElement} video
 * @property {string} url
 * @property {number} at                    where to begin
 * @property {(status: number) => void} onTrouble   it cannot be played; the HTTP status, 0 if that is not why
 */

const CONFIG = {
  enableWorker: false,
  liveDurationInfinity: true,
  backBufferLength: 30,
  maxBufferLength: 20,
  autoStartLoad: false,
}

/**
 * @param {HlsClass} Hls
 * @param {PastOptions} options
 * @returns {PastEngine}
 */
export function pastHlsEngine(Hls, { video, url, at, onTrouble }) {
  const hls = new Hls(CONFIG)
  let wanted = at
  let placed = false
  hls.on(Hls.Events.ERROR, (_, data) => {
    if (!data.fatal) return
    if (data.type === Hls.ErrorTypes.MEDIA_ERROR) hls.recoverMediaError()
    else onTrouble(data.response?.code ?? 0)
  })
  hls.on(Hls.Events.MANIFEST_PARSED, () => hls.startLoad(0))
  hls.on(Hls.Events.LEVEL_UPDATED, (_, { details }) => {
    if (placed) return
    placed = true
    const position = positionOf(details.fragments, wanted)
    // Only the list tells where in it that time is: recordings have gaps.
    hls.startLoad(position)
    video.currentTime = position
  })
  hls.loadSource(url)
  hls.attachMedia(video)
  return {
    seek(ms) {
      wanted = ms
      const details = hls.latestLevelDetails
      if (placed && details !== null) video.currentTime = positionOf(details.fragments, ms)
    },
    shownAt: () => (placed ? hls.playingDate?.getTime() : undefined),
    destroy: () => hls.destroy(),
  }
}

/**
 * Where in the list a time is, in seconds: within the fragment that holds it, else at the start of the next.
 *
 * @param {readonly { start: number, duration: number, programDateTime: number | null }[]} fragments
 * @param {number} ms
 * @returns {number}
 */
function positionOf(fragments, ms) {
  for (const { start, duration, programDateTime } of fragments) {
    if (programDateTime === null || programDateTime + duration * 1000 <= ms) continue
    return start + Math.max(0, ms - programDateTime) / 1000
  }
  const last = fragments.at(-1)
  return last === undefined ? 0 : last.start
}

/**
 * For browsers that play HLS themselves. `getStartDate` is Safari's: the date of the media's time zero.
 *
 * @param {PastOptions} options
 * @returns {PastEngine}
 */
export function pastNativeEngine({ video: element, url, at, onTrouble }) {
  /** @type {HTMLVideoElement & { getStartDate?: () => Date }} */
  const video = element
  const listening = new AbortController()
  const startMs = () => video.getStartDate?.().getTime() ?? Number.NaN
  /** @param {number} ms */
  const seek = (ms) => {
    const seconds = (ms - startMs()) / 1000
    if (!Number.isNaN(seconds)) video.currentTime = Math.max(0, seconds)
  }
  const { signal } = listening
  video.addEventListener('loadedmetadata', () => seek(at), { signal })
  video.addEventListener('error', () => onTrouble(0), { signal })
  video.src = url
  video.load()
  return {
    seek,
    shownAt: () => {
      const ms = startMs() + video.currentTime * 1000
      return Number.isNaN(ms) ? undefined : ms
    },
    destroy: () => {
      listening.abort()
      video.removeAttribute('src')
      video.load()
    },
  }
}
