// @ts-check

/**
 * @typedef {import('./answers.js').SessionMark} SessionMark
 * @typedef {import('./answers.js').State} State
 *
 * @typedef {{ fromMs: number, toMs: number }} Span
 * @typedef {Span & { state: State }} StateSpan
 *
 * Something of a session that a person may want to know of.
 *
 * @typedef {{ atMs: number, kind: SessionMark['event'], words: string }} Mark
 *
 * @typedef {{ source: string, sessions: Span[], marks: Mark[] }} Lane
 */

/** @type {ReadonlyMap<string, string>} */
const CAUSES = new Map([
  ['schedule', 'before it would have expired'],
  ['api', 'by order'],
  ['codec', 'because codec private data changed so often'],
  ['lost', 'after the one before it was lost'],
  ['refused', 'upstream refused its token'],
])

/**
 * One state after the other, as long as points tell.
 *
 * @param {{ at: readonly number[], state: readonly State[] }} points
 * @param {number} gapMs   in a longer pause nobody knows
 * @returns {StateSpan[]}
 */
export function stateSpans({ at, state }, gapMs) {
  /** @type {StateSpan[]} */
  const spans = []
  for (const [i, ms] of at.entries()) {
    const now = state[i]
    if (now === undefined) continue
    const last = spans.at(-1)
    const follows = last !== undefined && ms - last.toMs <= gapMs
    if (follows) last.toMs = ms
    if (!follows || last.state !== now) spans.push({ fromMs: ms, toMs: ms, state: now })
  }
  return spans
}

/**
 * What became of the sessions of each source that had any.
 *
 * @param {readonly SessionMark[]} marks   in order
 * @param {Span} hour
 * @param {{ source: string, openedMs: number } | undefined} open   the session that is in use now
 * @returns {Lane[]}
 */
export function lanesOf(marks, hour, open) {
  const names = ['camera', 'backup'].filter(
    (source) => source === open?.source || marks.some((mark) => mark.source === source),
  )
  return names.map((source) => {
    const all = marks.filter((mark) => mark.source === source)
    const own = all.filter((mark) => !tookOver(mark, all))
    return {
      source,
      sessions: sessionSpans(own, hour, open?.source === source ? open.openedMs : undefined),
      marks: own.flatMap((mark) => markOf(mark)).filter(({ atMs }) => atMs >= hour.fromMs),
    }
  })
}

/**
 * @param {readonly SessionMark[]} marks   of one source
 * @param {Span} hour
 * @param {number | undefined} openedMs
 * @returns {Span[]}
 */
function sessionSpans(marks, hour, openedMs) {
  /** @type {Span[]} */
  const spans = []
  /** @type {{ fromMs: number, session: number | null } | undefined} */
  let running
  const end = (/** @type {number} */ toMs) => {
    if (running !== undefined) spans.push({ fromMs: running.fromMs, toMs })
    running = undefined
  }
  for (const [i, { at, event, session }] of marks.entries()) {
    const ms = Date.parse(at)
    // What ends within the hour without having begun in it began before.
    if (i === 0 && (event === 'rolled-over' || endsOne(event)))
      running = { fromMs: hour.fromMs, session: null }
    if (event === 'opened' && running === undefined) running = { fromMs: ms, session }
    if (event === 'rolled-over') {
      end(ms)
      running = { fromMs: ms, session }
    }
    if (endsOne(event) && (running?.session ?? session) === session) end(ms)
    if (event === 'failed') end(ms)
  }
  if (openedMs !== undefined && running === undefined) {
    running = { fromMs: Math.max(openedMs, spans.at(-1)?.toMs ?? hour.fromMs), session: null }
  }
  end(hour.toMs)
  return spans
}

/**
 * Of a session that took over from another, that tells more than that it was opened.
 *
 * @param {SessionMark} mark
 * @param {readonly SessionMark[]} marks
 */
function tookOver({ event, session }, marks) {
  const isIt = (/** @type {SessionMark} */ other) =>
    other.event === 'rolled-over' && other.session === session
  return event === 'opened' && marks.some(isIt)
}

/** @param {SessionMark['event']} event */
function endsOne(event) {
  return event === 'lost' || event === 'released'
}

/**
 * @param {SessionMark} mark
 * @returns {Mark[]}
 */
function markOf({ at, event, cause }) {
  const why = cause === null ? '' : (CAUSES.get(cause) ?? cause)
  const mark = (/** @type {string} */ words) => [{ atMs: Date.parse(at), kind: event, words }]
  switch (event) {
    case 'opened':
      return mark('Session opened')
    case 'rolled-over':
      return mark(`Session rolled over, ${why}`)
    case 'lost':
      return mark(`Session lost: ${why}`)
    case 'released':
      return mark('Session closed')
    case 'failed':
      return mark(`No session could be opened: ${why}`)
  }
}
