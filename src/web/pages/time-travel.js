// @ts-check
import { element, setData, setText, setTool, toolButton } from './dom.js'
import { clipPath } from './past-list.js'
import { firstSpan, nextSpan, scaleAround } from './scale.js'
import { ScrubBar } from './scrub-bar.js'
import { spanInWords } from './times.js'

/** @typedef {import('./feed.js').FeedStream} FeedStream */

/**
 * What a page that can go back in time shows and does. `at` is undefined while nothing is shown.
 *
 * @typedef {object} TimeMachine
 * @property {() => number | undefined} at
 * @property {() => boolean} live
 * @property {() => boolean} paused
 * @property {(ms: number) => void} visit
 * @property {() => void} goLive
 * @property {() => void} pause
 * @property {() => void} play
 *
 * @typedef {object} TravelOptions
 * @property {string} name
 * @property {string} root      what the clip's address is relative to
 * @property {TimeMachine} machine
 */

const STEP_MS = 10_000
const CLIP_S = 30

/** The scrub bar with its buttons, below the picture of a page that shows one stream. */
export class TimeTravel {
  #options
  #bar
  #root
  #live
  #pause
  #save
  #when = element('input', 'when')
  #span = element('output', 'span')
  #spanMs = 0
  #now = 0
  /** @type {FeedStream | undefined} */
  #stream

  /** @param {TravelOptions} options */
  constructor(options) {
    this.#options = options
    this.#bar = new ScrubBar((ms) => this.#seek(ms))
    this.#pause = toolButton('pause', 'Pause', () => this.togglePause())
    this.#live = textButton('Live', 'Back to the live picture', () => this.goLive())
    this.#live.classList.add('live')
    this.#save = toolButton('save', `Save the last ${CLIP_S} s`, () => this.save())
    this.#root = element('div', 'travel', [
      this.#bar.element,
      element('div', 'row', [
        this.#pause,
        toolButton('back-10', 'Back 10 s', () => this.step(-1)),
        toolButton('on-10', 'On 10 s', () => this.step(1)),
        this.#live,
        this.#dateField(),
        textButton('–', 'Show a shorter time', () => this.#zoom(-1)),
        this.#span,
        textButton('+', 'Show a longer time', () => this.#zoom(1)),
        this.#save,
      ]),
    ])
    this.#root.hidden = true
  }

  get element() {
    return this.#root
  }

  /** @param {{ stream: FeedStream | undefined, now: number }} look   `now`: the gateway's clock */
  tick({ stream, now }) {
    this.#stream = stream
    this.#now = now
    const { dvrMs, archive, clip } = pastOf(stream)
    this.#root.hidden = dvrMs === 0 && !archive
    this.#save.hidden = !clip
    if (this.#root.hidden) return
    if (this.#spanMs === 0) this.#spanMs = firstSpan(dvrMs)
    setText(this.#span, spanInWords(this.#spanMs))
    const { machine } = this.#options
    const at = machine.at() ?? now
    this.#bar.paint({ scale: scaleAround(at, now, this.#spanMs), now, at, dvrMs })
    setData(this.#root, 'live', String(machine.live()))
    const paused = machine.paused()
    setTool(this.#pause, paused ? 'play' : 'pause', paused ? 'Play' : 'Pause')
  }

  /** @param {1 | -1} direction */
  step(direction) {
    const { machine } = this.#options
    this.#seek((machine.at() ?? this.#now) + direction * STEP_MS)
  }

  goLive() {
    this.#options.machine.goLive()
  }

  togglePause() {
    const { machine } = this.#options
    if (machine.paused()) machine.play()
    else machine.pause()
  }

  /** The browser saves it: the address says so, and a picture of a page would not survive a new one. */
  save() {
    const { name, root, machine } = this.#options
    const at = machine.at()
    if (at === undefined || !pastOf(this.#stream).clip) return
    const link = element('a', '')
    link.href = `${root}${clipPath(name, at, CLIP_S)}`
    link.download = ''
    link.click()
  }

  /** @param {number} ms */
  #seek(ms) {
    const { machine } = this.#options
    // Where the live picture is, there is nothing between it and now to be shown.
    const liveAt = machine.live() ? machine.at() : undefined
    if (ms >= this.#now - STEP_MS / 2 || (liveAt !== undefined && ms >= liveAt)) machine.goLive()
    else machine.visit(ms)
  }

  /** @param {1 | -1} step */
  #zoom(step) {
    this.#spanMs = nextSpan(this.#spanMs, step)
  }

  #dateField() {
    const field = this.#when
    field.type = 'datetime-local'
    field.step = '1'
    field.setAttribute('aria-label', 'Go to a date and time')
    field.addEventListener('change', () => {
      const ms = new Date(field.value).getTime()
      if (!Number.isNaN(ms)) this.#seek(ms)
      // The keyboard goes back to the picture.
      field.blur()
    })
    return field
  }
}

/** @param {FeedStream | undefined} stream */
function pastOf(stream) {
  return stream?.past ?? { dvrMs: 0, archive: false, clip: false }
}

/** @param {string} text @param {string} label @param {() => void} onPress */
function textButton(text, label, onPress) {
  const button = element('button', 'word', [new Text(text)])
  button.type = 'button'
  button.title = label
  button.setAttribute('aria-label', label)
  button.addEventListener('click', onPress)
  return button
}
