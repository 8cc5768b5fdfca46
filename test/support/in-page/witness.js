// @ts-check

/**
 * Runs in a page before its own scripts, and notes what a viewer of its one video would: whether the
 * picture and the sound keep coming. Works on what the browser itself says, not on the player's opinion.
 *
 * @typedef {object} Witnessed
 * @property {number} playedS         media time that has passed
 * @property {number} aheadS          of what is buffered, still to be played
 * @property {number} lostMs          how far the picture fell behind the clock by standing still
 * @property {number} jumps           seeks, and steps of the media time that are none of the clock
 * @property {number} rewinds         steps back
 * @property {number} holes           looks at which a buffer was in several pieces
 * @property {number} apartMs         how far the ends of sound and picture stayed apart, at worst
 * @property {number} silences        spans of {@link SOUND_SPAN_S} in which no sound was decoded
 * @property {number} starvedMs       how long the machine kept the page waiting at worst: for an answer, or for a turn
 * @property {string[]} errors        those of hls.js, harmless ones included; see support/playback.ts
 */

const LOOK_EVERY_MS = 100
/** Picture and sound arrive one after the other; within so much time they must have been level. */
const LEVEL_WITHIN_MS = 4000
const SOUND_SPAN_S = 2
/** What is answered at once on a machine that has time. */
const MEDIA = /\.(m3u8|m4s|mp4|ts)(\?|$)/
/** A look may come late; the media time goes on meanwhile. hls.js plays up to 1.05 times as fast. */
const FASTEST = 1.06
const SLACK_S = 0.1

class Witness {
  /** @type {{ source: MediaSource, buffer: SourceBuffer }[]} */
  #buffers = []
  /** @type {HTMLVideoElement | undefined} */
  #video
  #begun = { at: 0, time: 0 }
  #last = { at: 0, time: 0 }
  #leastLag = 0
  #level = { at: 0, apartMs: 0 }
  #sound = { time: 0, bytes: 0 }
  /** @type {Witnessed} */
  #seen = {
    playedS: 0,
    aheadS: 0,
    lostMs: 0,
    jumps: 0,
    rewinds: 0,
    holes: 0,
    apartMs: 0,
    silences: 0,
    starvedMs: 0,
    errors: [],
  }

  /** @param {MediaSource} source @param {SourceBuffer} buffer */
  noteBuffer(source, buffer) {
    this.#buffers.push({ source, buffer })
  }

  /** @param {string} error */
  noteError(error) {
    this.#seen.errors.push(error)
  }

  /** From now on; what it took to start is not of interest. */
  begin() {
    const video = document.querySelector('video')
    if (video === null) throw new Error('a page without a video')
    this.#video = video
    this.#seen.errors = []
    const now = { at: performance.now(), time: video.currentTime }
    this.#begun = now
    this.#last = now
    this.#level = { at: now.at, apartMs: Number.POSITIVE_INFINITY }
    this.#sound = { time: now.time, bytes: decodedSound(video) }
    video.addEventListener('seeking', () => {
      this.#seen.jumps += 1
    })
    setInterval(() => this.#look(video), LOOK_EVERY_MS)
    new PerformanceObserver((list) => {
      for (const { name, duration } of list.getEntries()) {
        if (MEDIA.test(name)) this.#noteWait(duration)
      }
    }).observe({ type: 'resource' })
  }

  /** @returns {Witnessed} */
  report() {
    const video = this.#video
    if (video === undefined) throw new Error('nothing was begun')
    this.#look(video)
    const { time } = this.#last
    const { buffered } = video
    const aheadS = buffered.length === 0 ? 0 : buffered.end(buffered.length - 1) - time
    return { ...this.#seen, playedS: time - this.#begun.time, aheadS }
  }

  /** @param {HTMLVideoElement} video */
  #look(video) {
    const now = { at: performance.now(), time: video.currentTime }
    this.#noteWait(now.at - this.#last.at)
    this.#noteTime(now)
    this.#noteBuffers(now.at)
    this.#noteSound(video, now.time)
    this.#last = now
  }

  /** @param {number} ms */
  #noteWait(ms) {
    this.#seen.starvedMs = Math.max(this.#seen.starvedMs, ms)
  }

  /** @param {{ at: number, time: number }} now */
  #noteTime({ at, time }) {
    const step = time - this.#last.time
    if (step < 0) this.#seen.rewinds += 1
    if (step > ((at - this.#last.at) / 1000) * FASTEST + SLACK_S) this.#seen.jumps += 1
    const lag = at - this.#begun.at - (time - this.#begun.time) * 1000
    this.#leastLag = Math.min(this.#leastLag, lag)
    this.#seen.lostMs = Math.max(this.#seen.lostMs, lag - this.#leastLag)
  }

  /** @param {number} at */
  #noteBuffers(at) {
    // A player that starts afresh makes new ones; those that it has left cannot be asked.
    const inUse = this.#buffers.filter(({ source }) => source.readyState === 'open')
    const ranges = inUse.map(({ buffer }) => buffer.buffered)
    if (ranges.some(({ length }) => length !== 1)) {
      this.#seen.holes += 1
      return
    }
    const ends = ranges.map((range) => range.end(0))
    const apartMs = (Math.max(...ends) - Math.min(...ends)) * 1000
    this.#level.apartMs = Math.min(this.#level.apartMs, apartMs)
    if (at - this.#level.at < LEVEL_WITHIN_MS) return
    this.#seen.apartMs = Math.max(this.#seen.apartMs, this.#level.apartMs)
    this.#level = { at, apartMs: Number.POSITIVE_INFINITY }
  }

  /** @param {HTMLVideoElement} video @param {number} time */
  #noteSound(video, time) {
    if (time - this.#sound.time < SOUND_SPAN_S) return
    const bytes = decodedSound(video)
    if (bytes <= this.#sound.bytes) this.#seen.silences += 1
    this.#sound = { time, bytes }
  }
}

/** Chromium's own count. @param {HTMLVideoElement} video */
function decodedSound(video) {
  const { webkitAudioDecodedByteCount: bytes } =
    /** @type {HTMLVideoElement & { webkitAudioDecodedByteCount?: number }} */ (video)
  if (bytes === undefined) throw new Error('this browser does not count decoded sound')
  return bytes
}

const witness = new Witness()
Object.assign(globalThis, { witness })

const { addSourceBuffer } = MediaSource.prototype
MediaSource.prototype.addSourceBuffer = function (type) {
  const buffer = addSourceBuffer.call(this, type)
  witness.noteBuffer(this, buffer)
  return buffer
}
