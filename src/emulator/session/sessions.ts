import type { Random } from '../../base/backoff.ts'
import type { Camera } from '../camera/camera.ts'
import { LONGEST_LAG } from '../camera/event.ts'
import type { Fragment } from '../camera/fragment.ts'
import type { CameraConfig } from '../config.ts'
import { accessDenied, USER_ARN } from '../service/denial.ts'
import { KvsError, noFragments } from '../service/kvs-error.ts'
import { archiveSource } from './archive-source.ts'
import type { FragmentSource } from './fragment-source.ts'
import { LiveSource, newestFragments } from './live-source.ts'
import { ReplaySource } from './replay-source.ts'
import type { SessionRequest } from './request.ts'
import { dedupe, oldestRecording, select } from './selection.ts'
import { Session } from './session.ts'
import { mintToken } from './token.ts'

/**
 * How many sessions are remembered; beyond this the oldest is forgotten, and its token is then unknown, which answers
 * 403 as well.
 */
const MOST_SESSIONS = 10_000

interface Opening {
  readonly source: FragmentSource
  readonly initial: readonly Fragment[]
}

/** Holds all sessions, dead ones included, so that each goes on to be refused in its own way. */
export class Sessions {
  readonly #random: Random
  readonly #byToken = new Map<string, Session>()
  #opened = 0

  constructor(random: Random) {
    this.#random = random
  }

  get all(): readonly Session[] {
    return [...this.#byToken.values()]
  }

  find(token: string): Session | undefined {
    return this.#byToken.get(token)
  }

  /** Opens a session. Throws as GetHLSStreamingSessionURL does when there is nothing to show. */
  open(camera: Camera, request: SessionRequest, nowMs: number): Session {
    checkMedia(camera)
    const { source, initial } = begin(camera, request, nowMs)
    const [first, ...rest] = initial
    if (first === undefined) throw noFragments()
    this.#opened += 1
    const session = new Session({
      id: String(this.#opened),
      token: mintToken(this.#random),
      camera,
      request,
      source,
      initial: [first, ...rest],
      openedMs: nowMs,
    })
    this.#keep(session)
    return session
  }

  #keep(session: Session): void {
    this.#byToken.set(session.token, session)
    if (this.#byToken.size <= MOST_SESSIONS) return
    for (const oldest of this.#byToken.keys()) {
      this.#byToken.delete(oldest)
      return
    }
  }
}

/** Refuses streams that are unfit for HLS. KVS.md, section 7.1. */
function checkMedia(camera: Camera): void {
  const { config } = camera
  if (config.retentionHours === 0) {
    throw new KvsError('NoDataRetentionException', 400, 'The stream does not retain any data.')
  }
  checkKey(camera)
  if (!config.mediaSupported || config.soundCodec !== 'aac') {
    const message = 'The media type of the stream is not supported.'
    throw new KvsError('UnsupportedStreamMediaTypeException', 400, message)
  }
  checkPrivateData(config)
}

function checkPrivateData({ codecPrivateData }: CameraConfig): void {
  switch (codecPrivateData) {
    case 'present':
      return
    case 'missing':
    case 'sound-missing': {
      const track = codecPrivateData === 'missing' ? 1 : 2
      const message = `Missing codec private data in fragment for track ${track}.`
      throw new KvsError('MissingCodecPrivateDataException', 400, message)
    }
    case 'invalid':
    case 'annex-b': {
      const message = 'Invalid codec private data in fragment for track 1.'
      throw new KvsError('InvalidCodecPrivateDataException', 400, message)
    }
  }
}

/** Refuses what a KMS key keeps closed. How the service words that for HLS is a guess. */
function checkKey({ config, kmsKeyArn }: Camera): void {
  switch (config.kms) {
    case 'aws-key':
    case 'own-key':
      return
    case 'access-denied':
      throw accessDenied({ userArn: USER_ARN, action: 'kms:Decrypt', resource: kmsKeyArn })
    case 'key-disabled':
      throw new KvsError('NotAuthorizedException', 401, `${kmsKeyArn} is disabled.`)
  }
}

function begin(camera: Camera, request: SessionRequest, nowMs: number): Opening {
  switch (request.mode) {
    case 'LIVE':
      return beginLive(camera, request, nowMs)
    case 'LIVE_REPLAY':
      return beginReplay(camera, request, nowMs)
    case 'ON_DEMAND':
      return beginArchive(camera, request, nowMs)
  }
}

function beginLive(camera: Camera, request: SessionRequest, nowMs: number): Opening {
  const { timeline, config } = camera
  const oldestMs = camera.oldestMs(nowMs)
  const options = { nowMs, oldestMs, recentOnly: config.recentFragmentRule }
  const [first, ...rest] = newestFragments(timeline, request, options)
  if (first === undefined) throw noFragments()
  const initial = [first, ...rest] as const
  return { source: new LiveSource(timeline, initial), initial }
}

function beginReplay(camera: Camera, request: SessionRequest, nowMs: number): Opening {
  const range = rangeOf(request)
  const source = new ReplaySource(camera, request.selector, range, nowMs)
  return { source, initial: source.take(nowMs) }
}

function beginArchive(camera: Camera, request: SessionRequest, nowMs: number): Opening {
  const { selector, maxFragments } = request
  const single = dedupe(readArchive(camera, request, nowMs), selector)
  const recording = selector === 'PRODUCER_TIMESTAMP' ? oldestRecording(single) : single
  return { source: archiveSource, initial: recording.slice(0, maxFragments) }
}

/** Yields what is there and retained: as much as a list can hold, and then what may still replace some of it. */
function* readArchive(camera: Camera, request: SessionRequest, nowMs: number): Generator<Fragment> {
  const stored = { nowMs, oldestMs: camera.oldestMs(nowMs) }
  let left = request.maxFragments + LONGEST_LAG
  let latestMs = Number.NEGATIVE_INFINITY
  for (const fragment of select(camera.timeline, request.selector, rangeOf(request), stored)) {
    if (left <= 0) return
    if (fragment.listedAtMs > nowMs) continue
    if (request.selector === 'SERVER_TIMESTAMP' || fragment.producerMs > latestMs) left -= 1
    latestMs = Math.max(latestMs, fragment.producerMs)
    yield fragment
  }
}

function rangeOf({ range }: SessionRequest): { startMs: number; endMs: number } {
  return { startMs: range?.startMs ?? 0, endMs: range?.endMs ?? Number.POSITIVE_INFINITY }
}
