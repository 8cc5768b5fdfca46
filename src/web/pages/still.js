// @ts-check

/** A still is for recognising the scene, not for reading number plates; dozens of tiles keep one each. */
const WIDEST = 640

/**
 * Keeps the last picture on screen while a player is replaced: a video element that loses its source goes black.
 */
export class Still {
  #video
  #canvas
  #drawn = false

  /**
   * @param {HTMLVideoElement} video
   * @param {HTMLCanvasElement} canvas   hidden until there is a still to show
   */
  constructor(video, canvas) {
    this.#video = video
    this.#canvas = canvas
  }

  get shown() {
    return !this.#canvas.hidden
  }

  /**
   * Takes the video's current picture, which it has only while it neither seeks nor waits for its first data.
   *
   * @returns {boolean} whether it had one; else an earlier still remains
   */
  draw() {
    const { videoWidth, videoHeight, readyState } = this.#video
    if (readyState < HTMLMediaElement.HAVE_CURRENT_DATA || videoWidth === 0) return false
    const scale = Math.min(1, WIDEST / videoWidth)
    const [width, height] = [Math.round(videoWidth * scale), Math.round(videoHeight * scale)]
    if (this.#canvas.width !== width) this.#canvas.width = width
    if (this.#canvas.height !== height) this.#canvas.height = height
    const context = this.#canvas.getContext('2d', { alpha: false })
    context?.drawImage(this.#video, 0, 0, width, height)
    this.#drawn = true
    return true
  }

  /** Shows the newest still, if there is any. */
  hold() {
    this.#canvas.hidden = !this.#drawn
  }

  /** The moving picture is back. */
  release() {
    this.#canvas.hidden = true
  }
}
