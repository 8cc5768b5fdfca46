// @ts-check

/**
 * What the admin API answers; `/api/v1/openapi.json` says what each means.
 *
 * @typedef {'idle' | 'starting' | 'live' | 'stale' | 'slate' | 'offline' | 'ended' | 'failed'} State
 * @typedef {'camera' | 'backup'} LiveSource
 * @typedef {{ requests: number, bytes: number }} Traffic
 *
 * @typedef {object} StreamStatus
 * @property {string} name
 * @property {State} state
 * @property {string | null} reason
 * @property {'on-demand' | 'always'} activation
 * @property {boolean} dynamic
 * @property {LiveSource | 'slate' | null} source
 * @property {LiveSource | null} forced
 * @property {boolean} backup
 * @property {{ openedAt: string, expiresAt: string | null, rollovers: number } | null} session
 * @property {string | null} owner
 * @property {{ number: string, producedAt: string, receivedAt: string } | null} lastFragment
 * @property {number} mediaSequence
 * @property {{ seconds: number, segments: number, bytes: number } | null} dvr
 * @property {number} viewers
 * @property {Traffic} upstream
 * @property {Traffic} downstream
 * @property {number} savedUsd
 * @property {number} spentUsd
 * @property {{ metadata: number, media: number } | null} quota
 *
 * @typedef {object} SessionMark
 * @property {string} at
 * @property {'opened' | 'rolled-over' | 'lost' | 'released' | 'failed'} event
 * @property {number | null} session
 * @property {LiveSource} source
 * @property {string | null} cause
 *
 * @typedef {object} StreamHistory
 * @property {number} everySeconds
 * @property {string[]} at
 * @property {State[]} state
 * @property {(number | null)[]} delaySeconds
 * @property {(number | null)[]} bitsPerSecond
 * @property {number[]} viewers
 * @property {number[]} upstreamBytesPerSecond
 * @property {number[]} downstreamBytesPerSecond
 * @property {SessionMark[]} sessions
 *
 * @typedef {{ name: string, self: boolean, version: string, startedAt: string, leaving: boolean, streams: number }} NodeStatus
 *
 * @typedef {{ detail?: string, faults?: import('./reload-words.js').ReloadFault[] }} Problem
 *
 * @typedef {object} GatewayEvent   a CloudEvent
 * @property {string} id
 * @property {string} type
 * @property {string} time
 * @property {string} [subject]
 * @property {Record<string, unknown>} [data]
 */

const DEADLINE_MS = 5000
/** A reload opens streams, and a stop waits for what runs. */
const ORDER_DEADLINE_MS = 60_000

/** An answer that is none of what was asked for. */
export class Unanswered extends Error {
  /**
   * @param {number} status
   * @param {string} message
   * @param {import('./reload-words.js').ReloadFault[]} [faults]   of a configuration
   */
  constructor(status, message, faults = []) {
    super(message)
    this.status = status
    this.faults = faults
  }
}

/** The streams, and when the gateway said so, by its clock. */
export async function readStreams() {
  const response = await ask('api/v1/streams')
  const { streams } = /** @type {{ streams: StreamStatus[] }} */ (await response.json())
  return { streams, now: Date.parse(response.headers.get('date') ?? '') || Date.now() }
}

/** @param {string} stream */
export async function readHistory(stream) {
  const response = await ask(`api/v1/streams/${encodeURIComponent(stream)}/history`)
  return /** @type {StreamHistory} */ (await response.json())
}

/**
 * The nodes that are one gateway; undefined where there is but one.
 *
 * @returns {Promise<NodeStatus[] | undefined>}
 */
export async function readNodes() {
  try {
    const response = await ask('api/v1/nodes')
    const { nodes } = /** @type {{ nodes: NodeStatus[] }} */ (await response.json())
    return nodes
  } catch (error) {
    if (error instanceof Unanswered && error.status === 404) return undefined
    throw error
  }
}

/** What happened lately, oldest first, and after which event to go on listening. */
export async function readEvents() {
  const response = await ask('api/v1/events', DEADLINE_MS, {
    headers: { Accept: 'application/json' },
  })
  return /** @type {{ events: GatewayEvent[], lastEventId: string }} */ (await response.json())
}

/**
 * Orders something of the gateway, and returns what it says to that.
 *
 * @param {string} path   below `api/v1/`
 * @param {object} [body]
 * @returns {Promise<unknown>}
 * @throws {Unanswered} with its reason, where it refuses
 */
export async function order(path, body) {
  /** @type {RequestInit} */
  const said =
    body === undefined
      ? {}
      : { body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } }
  const response = await ask(`api/v1/${path}`, ORDER_DEADLINE_MS, { method: 'POST', ...said })
  return response.json()
}

/**
 * @param {string} path
 * @param {number} [deadlineMs]
 * @param {RequestInit} [init]
 */
async function ask(path, deadlineMs = DEADLINE_MS, init = {}) {
  const response = await fetch(path, { ...init, signal: AbortSignal.timeout(deadlineMs) })
  if (response.ok) return response
  const problem = /** @type {Problem} */ (await response.json().catch(() => ({})))
  const { detail = `HTTP ${response.status}`, faults } = problem
  throw new Unanswered(response.status, detail, faults)
}
