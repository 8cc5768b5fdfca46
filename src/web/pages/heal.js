// @ts-check

/**
 * When a player that does not play does what about it.
 *
 * A pure state machine: it is told what is seen, twice a second, and answers with at most one thing to do.
 * It takes the mildest remedy first (load again, recover the decoder, jump to the live edge), then a new
 * player, then new players at growing, jittered distance, for ever. Steady playback forgives everything.
 *
 * @typedef {'attach' | 'detach' | 'reload' | 'recover' | 'edge' | 'rebuild' | 'rest' | 'resume'} Action
 *
 * @typedef {'network' | 'manifest' | 'media' | 'other'} Trouble
 *   `manifest`: the multivariant playlist itself did not load, which loading again does not repeat
 *
 * @typedef {object} Sight
 * @property {number} now        milliseconds on a clock that never goes back
 * @property {boolean} wanted    somebody can see this player
 * @property {boolean} media     there is something to play
 * @property {boolean} fresh     the gateway says that new media keeps coming
 * @property {boolean} moved     the playhead has advanced since the last look
 * @property {number} targetMs   target duration
 * @property {boolean} mayRebuild   the page can afford one more new player that has to find its picture
 */

/** After this much steady playback a stream counts as healed, and the next trouble as a first one. */
const STEADY_MS = 15_000
/** hls.js is left to its own, quicker means for this long at least. */
const LEAST_PATIENCE_MS = 4000
/** A first picture needs playlists, an init segment, media and a decoder, with fifteen others in the queue. */
const START_PATIENCE_MS = 12_000
/** Nothing new for so long: stop asking for playlists until the gateway says that media is back. */
const REST_AFTER_MS = 60_000
/** No look for so long means that the tab or the machine slept: whatever stood still did so for that. */
const SLEPT_MS = 5000
const FIRST_PAUSE_MS = 1000
const LONGEST_PAUSE_MS = 15_000
const RETURN_WITHIN_MS = 500

export class Healer {
  /** @type {'away' | 'attached' | 'pausing' | 'resting'} */
  #phase = 'away'
  #random
  #attempts = 0
  #patientSince = 0
  #steadySince = 0
  #staleSince = 0
  #resumeAt = 0
  #lastLook = Number.NEGATIVE_INFINITY
  #wasFresh = false
  #everMoved = false
  /** @type {Action} */
  #remedy = 'attach'
  /** @type {Trouble | undefined} */
  #trouble

  /** How often playback stood still while media was coming. */
  stalls = 0
  /** How often it then came back. */
  heals = 0

  /** @param {() => number} random   in [0, 1) */
  constructor(random) {
    this.#random = random
  }

  /** Whether a remedy is under way or awaited. */
  get ailing() {
    return this.#attempts > 0
  }

  /** Whether a remedy was taken, and has not brought a picture yet. */
  get restarting() {
    return this.#phase === 'attached' && this.#attempts > 0 && !this.#everMoved
  }

  /** Whether it stands still because we let it wait before the next remedy. */
  get pausing() {
    return this.#phase === 'pausing'
  }

  /** @param {Trouble} trouble   a fatal one; dealt with at the next look */
  report(trouble) {
    this.#trouble = trouble
  }

  /**
   * The player was replaced for a reason of its own: it gets the time of a new one.
   *
   * @param {number} now
   */
  renewed(now) {
    this.#phase = 'attached'
    this.#everMoved = false
    this.#trouble = undefined
    this.#forgive(now)
  }

  /**
   * Do soon what waits for its time: the network, the gateway, or room on this machine is back. Not in the same instant as all others.
   *
   * @param {number} now
   */
  hurry(now) {
    this.#resumeAt = Math.min(this.#resumeAt, now + this.#random() * RETURN_WITHIN_MS)
  }

  /**
   * @param {Sight} sight
   * @returns {Action | undefined}
   */
  look(sight) {
    this.#noteTime(sight)
    const action = this.#next(sight)
    this.#lastLook = sight.now
    this.#wasFresh = sight.fresh
    return action
  }

  /** @param {Sight} sight */
  #noteTime({ now, fresh, moved }) {
    if (now - this.#lastLook > SLEPT_MS) this.#forgive(now)
    if (fresh) this.#staleSince = now
    if (fresh && !this.#wasFresh) {
      this.#patientSince = now
      this.hurry(now)
    }
    if (moved) this.#noteProgress(now)
  }

  /** @param {number} now */
  #forgive(now) {
    this.#patientSince = now
    this.#steadySince = now
    this.#staleSince = now
  }

  /** @param {number} now */
  #noteProgress(now) {
    this.#patientSince = now
    this.#everMoved = true
    if (this.#attempts === 0 || this.#phase !== 'attached') return
    if (now - this.#steadySince < STEADY_MS) return
    this.#attempts = 0
    this.heals += 1
  }

  /**
   * @param {Sight} sight
   * @returns {Action | undefined}
   */
  #next(sight) {
    if (this.#phase === 'away') return sight.wanted && sight.media ? this.#attach(sight) : undefined
    if (!sight.wanted) return this.#leave()
    if (this.#phase === 'pausing') return this.#resume(sight)
    if (this.#phase === 'resting') return sight.fresh ? this.#apply('resume', sight) : undefined
    return this.#watch(sight)
  }

  /**
   * @param {Sight} sight
   * @returns {Action | undefined}
   */
  #resume(sight) {
    if (sight.now < this.#resumeAt || (this.#remedy === 'rebuild' && !sight.mayRebuild)) return
    return this.#apply(this.#remedy, sight)
  }

  /**
   * @param {Sight} sight
   * @returns {Action | undefined}
   */
  #watch(sight) {
    if (this.#trouble !== undefined) return this.#treat(this.#trouble, sight)
    if (sight.fresh) return this.#isStuck(sight) ? this.#treat('stuck', sight) : undefined
    if (sight.now - this.#staleSince < REST_AFTER_MS) return undefined
    this.#phase = 'resting'
    return 'rest'
  }

  /** @param {Sight} sight */
  #isStuck({ now, targetMs }) {
    const patience = this.#everMoved ? LEAST_PATIENCE_MS : START_PATIENCE_MS
    return now - this.#patientSince > Math.max(patience, 2 * targetMs)
  }

  /**
   * @param {Trouble | 'stuck'} trouble
   * @param {Sight} sight
   * @returns {Action | undefined}
   */
  #treat(trouble, sight) {
    this.#trouble = undefined
    if (sight.fresh && this.#everMoved) this.stalls += 1
    this.#remedy = remedyFor(trouble, this.#attempts)
    this.#resumeAt = sight.now + this.#pause(trouble)
    this.#attempts += 1
    this.#steadySince = sight.now
    this.#phase = 'pausing'
    return sight.now >= this.#resumeAt ? this.#apply(this.#remedy, sight) : undefined
  }

  /**
   * A decoder's first trouble is its own and is treated at once; a network's may be everybody's.
   *
   * @param {Trouble | 'stuck'} trouble
   * @returns {number} milliseconds
   */
  #pause(trouble) {
    const local = trouble === 'stuck' || trouble === 'media'
    if (local && this.#attempts === 0) return 0
    const ceiling = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(this.#attempts, 10))
    return ceiling * (0.5 + 0.5 * this.#random())
  }

  /**
   * @param {Sight} sight
   * @returns {Action}
   */
  #attach(sight) {
    this.#everMoved = false
    this.#attempts = 0
    return this.#apply('attach', sight)
  }

  /** @returns {Action} */
  #leave() {
    this.#phase = 'away'
    this.#trouble = undefined
    return 'detach'
  }

  /**
   * @param {Action} action
   * @param {Sight} sight
   * @returns {Action}
   */
  #apply(action, { now }) {
    this.#phase = 'attached'
    this.#trouble = undefined
    this.#forgive(now)
    if (action === 'rebuild') this.#everMoved = false
    return action
  }
}

/**
 * @param {Trouble | 'stuck'} trouble
 * @param {number} attempts   that went before
 * @returns {Action}
 */
function remedyFor(trouble, attempts) {
  if (trouble === 'network' && attempts < 2) return 'reload'
  if (trouble === 'media' && attempts === 0) return 'recover'
  if (trouble === 'stuck' && attempts === 0) return 'edge'
  return 'rebuild'
}
