// @ts-check
import { hlsEngine } from './hls-engine.js'
import { nativeEngine } from './native-engine.js'
import { Still } from './still.js'

/** A camera that gives no picture by then is left without one. */
const WITHIN_MS = 15_000

/**
 * Shows the first picture of a stream that runs, and lets go of it: who looks at the list watches none of them.
 *
 * @param {HTMLElement} frame   where the picture goes
 * @param {string} url          of the multivariant playlist
 * @returns {Promise<void>} once there is a picture, or none can be had
 */
export async function showPreview(frame, url) {
  const video = document.createElement('video')
  video.muted = true
  video.playsInline = true
  video.autoplay = true
  const canvas = document.createElement('canvas')
  canvas.hidden = true
  frame.append(video)
  const { default: Hls } = await import('./hls.mjs')
  const { promise, resolve } = Promise.withResolvers()
  const options = { video, url, sound: false, picture: true, onTrouble: () => resolve(undefined) }
  const engine = Hls.isSupported() ? hlsEngine(Hls, options) : nativeEngine(options)
  const timer = setTimeout(resolve, WITHIN_MS)
  // It moves: before that a picture can be drawn that has not been decoded, which is black.
  video.addEventListener('timeupdate', () => {
    if (video.played.length > 0 && video.played.end(0) > video.played.start(0)) resolve(undefined)
  })
  await promise
  clearTimeout(timer)
  const still = new Still(video, canvas)
  still.draw()
  still.hold()
  engine.destroy()
  video.remove()
  if (!canvas.hidden) frame.replaceChildren(canvas)
}
