// @ts-check

/**
 * Plays what it is told with hls.js at its defaults, and reads off the pictures which ones they are: those of the
 * emulator's clip `bar-code`.
 *
 * @typedef {object} Sighting
 * @property {string} name
 * @property {number} frame   the picture's number in the loop
 * @property {number} atMs    when it was shown, in milliseconds since 1970
 */

const [WIDTH, HEIGHT, COLUMNS] = [160, 96, 10]

/** @type {any} */
const { Hls } = globalThis

/** @type {(() => void)[]} */
let stops = []
/** @type {Sighting[]} */
let sightings = []
/** @type {string[]} */
let errors = []

/** @param {CanvasRenderingContext2D} context @param {HTMLVideoElement} video @returns {number | undefined} */
function read(context, video) {
  context.drawImage(video, 0, 0, WIDTH, HEIGHT)
  const { data } = context.getImageData(0, 0, WIDTH, HEIGHT)
  /** @param {number} column @param {number} y */
  const isBright = (column, y) =>
    (data[4 * (y * WIDTH + (column + 0.5) * (WIDTH / COLUMNS))] ?? 0) > 128
  let frame = 0
  for (let column = 0; column < COLUMNS; column += 1) {
    const bit = isBright(column, HEIGHT / 4)
    if (bit === isBright(column, (3 * HEIGHT) / 4)) return undefined
    if (bit) frame += 2 ** column
  }
  return frame
}

/** @param {string} name @param {string} url */
function play(name, url) {
  const video = document.createElement('video')
  Object.assign(video, { muted: true, autoplay: true, width: WIDTH, height: HEIGHT })
  document.body.append(video)
  const canvas = Object.assign(document.createElement('canvas'), { width: WIDTH, height: HEIGHT })
  const context = canvas.getContext('2d', { willReadFrequently: true })
  const look = () => {
    const frame = context === null ? undefined : read(context, video)
    if (frame !== undefined) sightings.push({ name, frame, atMs: Date.now() })
    video.requestVideoFrameCallback(look)
  }
  video.requestVideoFrameCallback(look)
  const hls = new Hls()
  hls.on(Hls.Events.ERROR, (/** @type {unknown} */ _, /** @type {any} */ { details, fatal }) => {
    if (fatal) errors.push(`${name}: ${details}`)
  })
  hls.loadSource(url)
  hls.attachMedia(video)
  stops.push(() => {
    hls.destroy()
    video.remove()
  })
}

Object.assign(globalThis, {
  barCodes: {
    /** Plays these, and nothing else. @param {Readonly<Record<string, string>>} urls by name */
    begin(urls) {
      for (const stop of stops) stop()
      stops = []
      sightings = []
      errors = []
      for (const [name, url] of Object.entries(urls)) play(name, url)
    },
    /** What was seen since it was asked last. */
    take() {
      const seen = { sightings, errors }
      sightings = []
      return seen
    },
  },
})
