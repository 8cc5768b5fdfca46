// @ts-check
import { withoutVideo } from './blind-playlist.js'
import { withoutAudio } from './silent-playlist.js'

/** @typedef {typeof import('hls.js').default} HlsClass */
/** @typedef {import('./heal.js').Trouble} Trouble */

/**
 * Plays one playlist into a video element, until destroyed.
 *
 * @typedef {object} Engine
 * @property {() => void} reload     load again what failed to load
 * @property {() => void} recover    start the decoder afresh
 * @property {() => void} edge       go to where the live picture is
 * @property {() => void} rest       ask for nothing more; the picture stays
 * @property {() => void} resume     go on after a rest, at the live edge
 * @property {() => void} destroy
 * @property {() => number | undefined} shownAt   when the shown picture was taken, milliseconds since 1970
 *
 * @typedef {object} EngineOptions
 * @property {HTMLVideoElement} video
 * @property {string} url
 * @property {boolean} sound      without: leave it out, and fetch nothing of it
 * @property {boolean} picture    the same
 * @property {(trouble: Trouble) => void} onTrouble
 */

/** Two quick repeats bridge a hiccup; anything longer is the healer's, which knows what the feed says. */
const PLAYLISTS = {
  maxTimeToFirstByteMs: 8000,
  maxLoadTimeMs: 10_000,
  timeoutRetry: { maxNumRetry: 1, retryDelayMs: 0, maxRetryDelayMs: 0 },
  errorRetry: { maxNumRetry: 2, retryDelayMs: 500, maxRetryDelayMs: 2000 },
}
const MEDIA = { ...PLAYLISTS, maxLoadTimeMs: 20_000 }
/** A first request may wait for a sleeping camera; after an error the healer starts anew. */
const MANIFEST = {
  maxTimeToFirstByteMs: 15_000,
  maxLoadTimeMs: 20_000,
  timeoutRetry: null,
  errorRetry: null,
}

const CONFIG = {
  // Fragmented MP4 passes hls.js untouched: a worker for each tile would cost more than it saves.
  enableWorker: false,
  // Two target durations behind the end. hls.js adds up to one more if playback stalls.
  liveSyncDurationCount: 2,
  liveMaxLatencyDurationCount: 5,
  maxLiveSyncPlaybackRate: 1.05,
  liveDurationInfinity: true,
  // Months of playback: what was seen goes at once, and little is fetched ahead of it.
  backBufferLength: 4,
  maxBufferLength: 12,
  maxMaxBufferLength: 20,
  maxBufferSize: 16_000_000,
  manifestLoadPolicy: { default: MANIFEST },
  playlistLoadPolicy: { default: PLAYLISTS },
  fragLoadPolicy: { default: MEDIA },
}

/**
 * @param {HlsClass} Hls
 * @param {EngineOptions} options
 * @returns {Engine}
 */
export function hlsEngine(Hls, { video, url, sound, picture, onTrouble }) {
  const hls = new Hls(configFor(Hls, sound, picture))
  hls.on(Hls.Events.ERROR, (_, data) => {
    if (data.fatal) onTrouble(troubleOf(Hls, data))
  })
  hls.loadSource(url)
  hls.attachMedia(video)
  const edge = () => {
    const { liveSyncPosition } = hls
    // Never back: while a camera pauses, the live edge is behind what has been seen.
    if (liveSyncPosition !== null && liveSyncPosition > video.currentTime) {
      video.currentTime = liveSyncPosition
    }
    hls.startLoad(-1)
  }
  return {
    reload: () => hls.startLoad(),
    recover: () => hls.recoverMediaError(),
    edge,
    rest: () => hls.stopLoad(),
    resume: () => hls.startLoad(-1),
    destroy: () => hls.destroy(),
    shownAt: () => hls.playingDate?.getTime(),
  }
}

/**
 * @param {HlsClass} Hls
 * @param {boolean} sound
 * @param {boolean} picture
 */
function configFor(Hls, sound, picture) {
  if (!picture) return { ...CONFIG, pLoader: loaderThat(Hls, withoutVideo) }
  return sound ? CONFIG : { ...CONFIG, pLoader: loaderThat(Hls, withoutAudio) }
}

/**
 * @param {HlsClass} Hls
 * @param {import('hls.js').ErrorData} data
 * @returns {Trouble}
 */
function troubleOf(Hls, { type, details }) {
  const { MANIFEST_LOAD_ERROR, MANIFEST_LOAD_TIMEOUT, MANIFEST_PARSING_ERROR } = Hls.ErrorDetails
  if (details === MANIFEST_LOAD_ERROR || details === MANIFEST_LOAD_TIMEOUT) return 'manifest'
  if (details === MANIFEST_PARSING_ERROR) return 'manifest'
  if (type === Hls.ErrorTypes.NETWORK_ERROR) return 'network'
  return type === Hls.ErrorTypes.MEDIA_ERROR ? 'media' : 'other'
}

/**
 * hls.js's own loader, which changes the multivariant playlist on its way in.
 *
 * @param {HlsClass} Hls
 * @param {(text: string) => string} change
 * @returns {import('hls.js').PlaylistLoaderConstructor}
 */
function loaderThat(Hls, change) {
  // hls.js types its default loader for any request; as a playlist loader it is given playlist requests.
  const loader = /** @type {unknown} */ (Hls.DefaultConfig.loader)
  const PlaylistLoader = /** @type {import('hls.js').PlaylistLoaderConstructor} */ (loader)
  return class ChangingLoader extends PlaylistLoader {
    /** @type {import('hls.js').Loader<import('hls.js').PlaylistLoaderContext>['load']} */
    load(context, config, callbacks) {
      const changing = context.type === 'manifest' ? changed(callbacks, change) : callbacks
      super.load(context, config, changing)
    }
  }
}

/**
 * @param {import('hls.js').LoaderCallbacks<import('hls.js').PlaylistLoaderContext>} callbacks
 * @param {(text: string) => string} change
 * @returns {import('hls.js').LoaderCallbacks<import('hls.js').PlaylistLoaderContext>}
 */
function changed(callbacks, change) {
  return {
    ...callbacks,
    onSuccess: (response, ...rest) => {
      const { data } = response
      const own = typeof data === 'string' ? change(data) : data
      callbacks.onSuccess({ ...response, data: own }, ...rest)
    },
  }
}
