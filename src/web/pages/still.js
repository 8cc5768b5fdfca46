// @ts-check

/** A still is for recognising the scene, not for reading number plates. */
const WIDEST = 960

/**
 * Keeps the last picture on screen while a player is replaced: a video element that loses its source goes black.
 */
export class Still {
  #video
  #canvas

  /**
   * @param {HTMLVideoElement} video
   * @param {HTMLCanvasElement} canvas
   */
  constructor(video, canvas) {
    this.#video = video
    this.#canvas = canvas
  }

  get shown() {
    return !this.#canvas.hidden
  }

  /** Shows the video's current picture, or goes on showing the earlier one if there is none. */
  hold() {
    const { videoWidth, videoHeight, readyState } = this.#video
    if (readyState < HTMLMediaElement.HAVE_CURRENT_DATA || videoWidth === 0) return
    const scale = Math.min(1, WIDEST / videoWidth)
    this.#canvas.width = Math.round(videoWidth * scale)
    this.#canvas.height = Math.round(videoHeight * scale)
    const context = this.#canvas.getContext('2d', { alpha: false })
    context?.drawImage(this.#video, 0, 0, this.#canvas.width, this.#canvas.height)
    this.#canvas.hidden = false
  }

  /** The moving picture is back. */
  release() {
    if (this.#canvas.hidden) return
    this.#canvas.hidden = true
    // Its memory is given back, rather than kept for each of dozens of tiles.
    this.#canvas.width = 0
    this.#canvas.height = 0
  }
}
