// @ts-check
import { Healer } from './heal.js'
import { PastPlayer } from './past-player.js'
import { Still } from './still.js'

/** @typedef {import('./feed.js').FeedStream} FeedStream */
/** @typedef {import('./hls-engine.js').Engine} Engine */
/** @typedef {import('./hls-engine.js').EngineOptions} EngineOptions */

/**
 * @typedef {object} PlayerOptions
 * @property {HTMLVideoElement} video
 * @property {HTMLCanvasElement} still
 * @property {string} url
 * @property {(options: EngineOptions) => Engine} makeEngine
 * @property {(options: import('./past-engine.js').PastOptions) => import('./past-engine.js').PastEngine} makePastEngine
 * @property {() => number} random
 * @property {boolean} soundReady   fetch sound even while muted, so that it is there at once
 *
 * @typedef {object} Look
 * @property {number} now       milliseconds on a clock that never goes back
 * @property {boolean} wanted
 * @property {FeedStream | undefined} stream
 * @property {boolean} alone   the feed has not answered for long: go without it
 * @property {boolean} mayRebuild   the page can afford one more new player
 *
 * @typedef {{ due: boolean, frames: number, dropped: number }} Effort
 *   `due`: it should move, as it has a player, and new media keeps coming; how many frames came due since the look
 *   before, and how many of these were never shown
 */

/** A jump further than this is a seek, not playback. */
const LONGEST_STEP_S = 5
const DEFAULT_TARGET_S = 2
/** A player that is lost in the middle of a seek leaves a picture that is no older. */
const DRAW_EVERY_MS = 10_000
/** Target durations; RFC 8216, 6.3.3. */
const STARTS_BEHIND = 3
const WHOLE = { video: true, audio: true }

/** One stream in one video element: does what its {@link Healer} says. */
export class Player {
  #options
  #healer
  #still
  /** @type {Engine | undefined} */
  #engine
  /** Instead of the live picture, while the viewer is back in time. @type {PastPlayer | undefined} */
  #past
  #sound = false
  #fetchesSound = false
  /** What the stream consisted of when the engine was made. */
  #shape = WHOLE
  /** Since when it has consisted of more. @type {number | undefined} */
  #gainedAt
  /** @type {FeedStream | undefined} */
  #stream
  #position = 0
  #movedAt = Number.NEGATIVE_INFINITY
  #now = 0
  /** @type {Effort} */
  #effort = { due: false, frames: 0, dropped: 0 }
  #counted = { frames: 0, dropped: 0 }
  /** When the picture of the still was taken, on the producer's clock. @type {number | undefined} */
  #stillAt
  /** When it was drawn. */
  #drawnAt = Number.NEGATIVE_INFINITY
  /** Whether the video element has a picture: it keeps the last one while it seeks. */
  #framed = false

  /** @param {PlayerOptions} options */
  constructor(options) {
    this.#options = options
    this.#healer = new Healer(options.random)
    this.#still = new Still(options.video, options.still)
  }

  get stalls() {
    return this.#healer.stalls
  }

  get heals() {
    return this.#healer.heals
  }

  get restarting() {
    return this.#past === undefined && this.#healer.restarting
  }

  /** What was seen at the last look. */
  get effort() {
    return this.#effort
  }

  /** Whether the picture has moved within the last two seconds. */
  get playing() {
    return this.#now - this.#movedAt < 2000
  }

  /** Whether there is any picture, moving or not. */
  get pictured() {
    return this.#still.shown || this.#framed
  }

  /** When the shown picture was taken, in milliseconds since 1970 on the producer's clock. */
  get shownAt() {
    if (this.#past !== undefined) return this.#past.at
    return this.#engine === undefined ? this.#stillAt : this.#engine.shownAt()
  }

  get live() {
    return this.#past === undefined
  }

  get paused() {
    return this.#past?.paused ?? false
  }

  /** What keeps a past picture from coming, in words. */
  get pastTrouble() {
    return this.#past?.trouble ?? ''
  }

  /**
   * Shows another time than now. Times in milliseconds since 1970.
   *
   * @param {number} ms
   * @param {number} serverNow
   * @param {import('./feed.js').Past} past
   */
  visit(ms, serverNow, past) {
    if (this.#past === undefined) {
      this.#detach()
      this.#past = this.#makePast()
    }
    this.#past.visit(ms, serverNow, past)
  }

  goLive() {
    if (this.#past === undefined) return
    this.#hold()
    this.#past.destroy()
    this.#past = undefined
    this.#healer = new Healer(this.#options.random)
  }

  /** The live picture does not wait: to pause is to stay behind. @param {number} serverNow @param {import('./feed.js').Past} past */
  pause(serverNow, past) {
    const at = this.shownAt
    if (this.#past === undefined && at !== undefined) this.visit(at, serverNow, past)
    this.#past?.pause()
  }

  play() {
    this.#past?.play()
  }

  /** @param {boolean} sound */
  set sound(sound) {
    this.#options.video.muted = !sound
    this.#sound = sound
    // A player without sound has left it out altogether. The other way round, muting will do.
    if (sound && this.#engine !== undefined && !this.#fetchesSound) this.#rebuild()
  }

  hurry() {
    this.#healer.hurry(this.#now)
  }

  /** To be called about twice a second. @param {Look} look */
  tick({ now, wanted, stream, alone, mayRebuild }) {
    this.#now = now
    this.#stream = stream
    const moved = this.#noteMovement()
    const fresh = stream?.state === 'live' || stream?.state === 'slate'
    const due = this.#engine !== undefined && fresh && !this.#healer.pausing
    this.#effort = { due, ...this.#countFrames() }
    if (this.#past !== undefined) return
    this.#followShape()
    const action = this.#healer.look({
      now,
      wanted,
      moved,
      media: alone || hasMedia(stream),
      fresh,
      targetMs: this.#targetMs,
      mayRebuild,
    })
    if (action !== undefined) this.#do(action)
    this.#keepGoing()
  }

  destroy() {
    this.#past?.destroy()
    this.#detach()
  }

  #makePast() {
    const { video, url, makePastEngine } = this.#options
    const base = url.slice(0, url.lastIndexOf('/') + 1)
    return new PastPlayer({ video, base, makeEngine: makePastEngine })
  }

  #noteMovement() {
    const { currentTime, seeking, readyState } = this.#options.video
    const step = currentTime - this.#position
    this.#position = currentTime
    const moved = !seeking && step > 0 && step < LONGEST_STEP_S
    const stops = !moved && this.playing
    if (moved) {
      this.#movedAt = this.#now
      this.#still.release()
    }
    if (readyState >= HTMLMediaElement.HAVE_CURRENT_DATA) this.#framed = true
    if (stops || (moved && this.#now - this.#drawnAt > DRAW_EVERY_MS)) this.#draw()
    return moved
  }

  #draw() {
    if (!this.#still.draw()) return
    this.#drawnAt = this.#now
    this.#stillAt = this.shownAt
  }

  /** Puts the last picture where there will be none until there is a new one. */
  #hold() {
    this.#draw()
    this.#still.hold()
    this.#framed = false
  }

  #countFrames() {
    const { totalVideoFrames, droppedVideoFrames } = this.#options.video.getVideoPlaybackQuality()
    const before = this.#counted
    this.#counted = { frames: totalVideoFrames, dropped: droppedVideoFrames }
    // Another player counts anew.
    if (totalVideoFrames < before.frames) return this.#counted
    return {
      frames: totalVideoFrames - before.frames,
      dropped: droppedVideoFrames - before.dropped,
    }
  }

  /** @param {import('./heal.js').Action} action */
  #do(action) {
    switch (action) {
      case 'attach':
        return this.#attach()
      case 'detach':
        return this.#detach()
      case 'rebuild':
        return this.#rebuild()
      case 'recover':
        this.#hold()
        return this.#engine?.recover()
      default:
        return this.#engine?.[action]()
    }
  }

  #attach() {
    const { makeEngine, video, url, soundReady } = this.#options
    const onTrouble = this.#healer.report.bind(this.#healer)
    this.#shape = shapeOf(this.#stream) ?? WHOLE
    this.#gainedAt = undefined
    this.#fetchesSound = this.#sound || soundReady
    const sound = this.#fetchesSound && this.#shape.audio
    this.#engine = makeEngine({ video, url, sound, picture: this.#shape.video, onTrouble })
  }

  #detach() {
    this.#hold()
    this.#engine?.destroy()
    this.#engine = undefined
  }

  /**
   * The list has what is gone for a window yet, but no more media of it, for which a player would wait. What is
   * new can be played once there is as much of it as a player starts behind the end.
   */
  #followShape() {
    const shape = shapeOf(this.#stream)
    if (this.#engine === undefined || shape === undefined) return
    const before = this.#shape
    const isSoundWanted = this.#sound || this.#options.soundReady
    const lost = (before.video && !shape.video) || (before.audio && !shape.audio && isSoundWanted)
    const gained = (!before.video && shape.video) || (!before.audio && shape.audio && isSoundWanted)
    if (!gained) this.#gainedAt = undefined
    else this.#gainedAt ??= this.#now
    const isThere = this.#now - (this.#gainedAt ?? this.#now) > STARTS_BEHIND * this.#targetMs
    if (!lost && !isThere) return
    this.#rebuild()
    this.#healer.renewed(this.#now)
  }

  get #targetMs() {
    return (this.#stream?.targetDuration ?? DEFAULT_TARGET_S) * 1000
  }

  #rebuild() {
    this.#detach()
    this.#attach()
  }

  /** Browsers pause what they think nobody watches; a refusal to play is theirs, and we ask again next time. */
  #keepGoing() {
    const { video } = this.#options
    if (this.#engine === undefined || !video.paused || video.readyState === 0) return
    video.play().catch(() => {})
  }
}

/** @param {FeedStream | undefined} stream */
function shapeOf(stream) {
  // A gateway of another version may not tell.
  const renditions = stream?.renditions ?? []
  if (renditions.length === 0) return undefined
  return { video: renditions.includes('video'), audio: renditions.includes('audio') }
}

/** @param {FeedStream | undefined} stream */
function hasMedia(stream) {
  if (stream === undefined || stream.lastFragmentAt === null) return false
  return stream.state !== 'idle' && stream.state !== 'failed' && stream.state !== 'unknown'
}
