// @ts-check
import { element, toolButton } from './dom.js'

/**
 * The elements of a tile, from the picture up to the buttons.
 *
 * @param {{ name: string, onOpen: () => void }} options
 * @param {() => void} onSound
 * @param {() => void} onFullscreen
 */
export function buildTileParts({ name, onOpen }, onSound, onFullscreen) {
  const video = buildVideo()
  const still = element('canvas', 'still')
  still.hidden = true
  const title = element('span', 'name')
  title.textContent = name
  const label = element('span', 'label')
  const headline = element('p', 'headline')
  const detail = element('p', 'detail')
  const plate = element('div', 'plate', [element('span', 'dot'), title, label])
  const debug = element('pre', 'debug')
  debug.hidden = true
  const open = element('button', 'open')
  open.type = 'button'
  open.setAttribute('aria-label', `Enlarge ${name}`)
  open.addEventListener('click', onOpen)
  const sound = toolButton('sound-off', 'Unmute', onSound)
  const full = toolButton('fullscreen', 'Full screen', onFullscreen)
  const back = toolButton('back', 'Back to the wall', onOpen)
  const root = element('section', 'tile', [
    video,
    still,
    element('div', 'message', [headline, detail]),
    plate,
    debug,
    open,
    element('div', 'tools', [sound, full, back]),
  ])
  root.setAttribute('aria-label', name)
  return { root, video, still, plate, label, headline, detail, debug, open, sound }
}

function buildVideo() {
  const video = element('video', 'video')
  video.muted = true
  video.autoplay = true
  video.playsInline = true
  video.disablePictureInPicture = true
  video.tabIndex = -1
  video.setAttribute('aria-hidden', 'true')
  return video
}
