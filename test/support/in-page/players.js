// @ts-check

/**
 * Plays what the page's `rows` say, one video each, all at once, and tells `/seen` again and again how far each has come.
 *
 * @typedef {object} Row
 * @property {string} name
 * @property {string} player     one of {@link PLAYERS}
 * @property {string} url
 * @property {number} originMs   the date of its beginning, in milliseconds since 1970
 *
 * @typedef {object} Seen
 * @property {string} name
 * @property {number | null} dateMs   of the newest picture, in milliseconds since 1970, by the player's own account
 * @property {boolean} ended
 * @property {string[]} errors        those after which a player gives up
 *
 * @callback Play                     begins to play, and returns what tells the date of the picture
 * @param {HTMLVideoElement} video
 * @param {Row} row
 * @param {(error: unknown) => void} fail
 * @returns {() => number | undefined}
 */

const REPORT_EVERY_MS = 200

/** The libraries, as their scripts leave them. @type {any} */
const { Hls, shaka, videojs } = globalThis

/** Each at its defaults, but for what is said. @type {Record<string, Play>} */
const PLAYERS = {
  'hls.js'(video, { url }, fail) {
    const hls = new Hls()
    hls.on(Hls.Events.ERROR, (/** @type {unknown} */ _, /** @type {any} */ { details, fatal }) => {
      if (fatal) fail(details)
    })
    hls.loadSource(url)
    hls.attachMedia(video)
    return () => hls.playingDate?.getTime()
  },

  Shaka(video, { url }, fail) {
    const player = new shaka.Player()
    // Else it throws away all that a live list holds after a gap, KVS's own lists' too: where dates jump, it shortens the
    // list by that at every reload.
    player.configure({ manifest: { availabilityWindowOverride: 60 } })
    player.addEventListener('error', (/** @type {any} */ { detail }) => fail(detail))
    player
      .attach(video)
      .then(() => player.load(url))
      .catch(fail)
    return () => player.getPlayheadTimeAsDate()?.getTime()
  },

  'video.js'(video, { url }, fail) {
    // A browser that plays HLS itself would be asked to otherwise.
    const player = videojs(video, { html5: { vhs: { overrideNative: true } } })
    player.on('error', () => fail(player.error()?.message))
    player.src({ src: url, type: 'application/vnd.apple.mpegurl' })
    return () => {
      const at = player.currentTime()
      /** @type {any[]} */
      const tracks = Array.from(player.textTracks())
      const cues = tracks.find(({ label }) => label === 'segment-metadata')?.cues ?? []
      const cue = Array.from(cues).findLast(({ startTime }) => startTime <= at)
      const segmentMs = cue?.value.dateTimeObject.getTime()
      return segmentMs === undefined ? undefined : segmentMs + (at - cue.startTime) * 1000
    }
  },

  itself(video, { url, originMs }, fail) {
    video.addEventListener('error', () => fail(video.error?.message))
    video.src = url
    return () => originMs + video.currentTime * 1000
  },
}

/** @param {Row} row @returns {() => Seen} */
function show(row) {
  const { name, player } = row
  const video = document.createElement('video')
  video.muted = true
  video.autoplay = true
  video.width = 160
  document.body.append(video)
  /** @type {string[]} */
  const errors = []
  const dateMs = PLAYERS[player]?.(video, row, (error) => errors.push(String(error)))
  if (dateMs === undefined) throw new Error(`no player is called ${player}`)
  /** @type {number | null} */
  let shownMs = null
  let pictures = 0
  return () => {
    const { totalVideoFrames } = video.getVideoPlaybackQuality()
    if (totalVideoFrames > pictures) shownMs = dateMs() ?? shownMs
    pictures = totalVideoFrames
    return { name, dateMs: shownMs, ended: video.ended, errors }
  }
}

/** @type {Row[]} */
const rows = JSON.parse(document.querySelector('#rows')?.textContent ?? '[]')
const looks = rows.map(show)
setInterval(() => {
  const body = JSON.stringify(looks.map((look) => look()))
  void fetch('/seen', { method: 'POST', headers: { 'content-type': 'application/json' }, body })
}, REPORT_EVERY_MS)
