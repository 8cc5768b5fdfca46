import { type ErrorCode, GatewayError } from '../base/errors.ts'
import { beginsWithUnit, captionsOf, entryOf } from '../formats/mp4/entry.ts'
import { type InitFacts, readInit } from '../formats/mp4/init.ts'
import { readMedia } from '../formats/mp4/media.ts'
import { type MediaStructure, readMediaStructure } from '../formats/mp4/media-structure.ts'
import { Mp4Error, malformed, unsupported } from '../formats/mp4/mp4-error.ts'
import { ownMedia } from '../formats/mp4/own-form.ts'
import { ownInit } from '../formats/mp4/own-init.ts'
import { preferHvc1 } from '../formats/mp4/prefer-hvc1.ts'
import { readSamples } from '../formats/mp4/samples.ts'
import { isForBrowsers } from '../formats/mp4/sound-codec.ts'
import { splitInit, splitMedia } from '../formats/mp4/split.ts'
import { renditionOf, type TrackMedia } from '../formats/mp4/track.ts'
import { writeTrack } from '../formats/mp4/write-track.ts'
import { CUT_PACKET } from '../formats/mpegts/packet.ts'
import type { TsTail } from '../formats/mpegts/read-ts.ts'
import { readSegment, type SegmentReading } from '../formats/read-segment.ts'
import { contentId } from '../store/content-id.ts'
import type { RenditionName, TrackFacts } from '../timeline/fragment.ts'
import type { Announced } from '../upstream/answer.ts'
import { upstreamError } from '../upstream/errors.ts'
import type { HlsSession, PlaylistName, Verify } from '../upstream/hls-session.ts'
import type { ListedFragment, ListedMap, OpaqueListing } from '../upstream/listed-fragment.ts'
import { longestMs, mediaLengthMs, refuseCut } from './refuse-cut.ts'
import type { SegmentRun } from './segment-run.ts'

/** What was announced, listed or sent of a fragment and cannot be shown. */
export interface Lack {
  /** What it is, in words. */
  readonly what: string
  readonly code: ErrorCode
}

/** One track of one fragment, as fragmented MP4 of its own, and what it says. */
export interface FetchedTrack extends TrackMedia {
  readonly rendition: RenditionName
  readonly facts: TrackFacts
  /** What lacks beside it. */
  readonly lacks?: Lack | undefined
}

/** Says what was told of a fragment before its bytes came, as far as its place depends on it. */
type Announcement = Pick<ListedFragment, 'number' | 'startMs' | 'durationS'> &
  Partial<Pick<ListedFragment, 'estimatedMs' | 'discontinuity'>>

/** A fragment whose bytes are complete and verified, all its tracks. */
export interface FetchedFragment {
  readonly listed: Announcement
  readonly timeBase: number
  readonly receivedMs: number
  /** When it was found in upstream’s list; absent for what was not followed live. */
  readonly foundMs?: number
  readonly tracks: readonly FetchedTrack[]
  /** What lacks of it; undefined when it is whole. */
  readonly lacks?: Lack | undefined
  /** The renditions that upstream has of it and that could not be had. */
  readonly absent?: readonly RenditionName[]
  /** Gives back the room in memory that was kept for it. */
  readonly release?: () => void
}

/** Says how a fragment is fetched that is followed live. */
export interface FetchContext {
  /** Called with the fragment's size before it is read. */
  readonly announced?: Announced | undefined
  /** The run of the playlist, where the media of segments go on in the next. */
  readonly run?: SegmentRun | undefined
}

/**
 * Fetches and verifies what one playlist has of a fragment: complete, boxes in order, the right track,
 * sane times. What fails here is neither listed nor cached (G12).
 *
 * @throws Mp4Error when bytes that look whole do not fit together; what the session throws otherwise
 */
export async function fetchTracks(
  session: HlsSession,
  playlist: PlaylistName,
  listed: ListedFragment,
  signal: AbortSignal,
  { announced, run }: FetchContext = {},
): Promise<readonly FetchedTrack[]> {
  const { map, opaque, refused } = listed
  if (refused !== undefined) throw refused
  const isBeside = playlist !== session.playlists[0]
  const fetch: Fetch = (verify) =>
    session.fragment(listed, signal, {
      ...(verify === undefined ? {} : { verify }),
      announced,
      isBeside,
    })
  if (opaque !== undefined)
    return [await fetchUnread(session, playlist, listed, opaque, fetch, signal)]
  const tracks =
    map === undefined
      ? await fetchSegment(playlist, listed, fetch, run)
      : await uncut(listed, run, () => fetchMp4(session, playlist, map, fetch, signal))
  // Packed audio may say no times, and silence is the same each time.
  const isTimed = map !== undefined || tracks.some(({ rendition }) => rendition === 'video')
  if (isTimed && run?.isRepeated(tracks, listed) === true)
    return tracks.map((track) => withLack(track, REPEATED))
  return playlist === 'muxed' ? withSilent(tracks, session.announced ?? []) : tracks
}

/** What a cache that has stopped sends under each new name, or an encoder that hangs. */
const REPEATED: Lack = {
  what: 'media that have not been sent before',
  code: 'upstream_unavailable',
}

function withLack(track: FetchedTrack, lack: Lack): FetchedTrack {
  return { ...track, lacks: track.lacks ?? lack }
}

/** Notes on tracks that come without a picture or sound that was announced. */
function withSilent(
  tracks: readonly FetchedTrack[],
  announced: readonly RenditionName[],
): readonly FetchedTrack[] {
  const silent = announced.find((name) => !tracks.some(({ rendition }) => rendition === name))
  if (silent === undefined) return tracks
  const kind = silent === 'video' ? 'a picture' : 'sound'
  const lack: Lack = { what: `${kind} that is announced and does not come`, code: 'no_media' }
  return tracks.map((track) => withLack(track, lack))
}

/** Fetches the fragment's bytes, once they are as `verify` wants them. */
type Fetch = (verify?: Verify) => Promise<Buffer>

/** Says what comes in the place of pictures, or is left of them. */
const NO_PICTURES = 'pictures (what comes in their place is none)'

/** How many ticks a second media have that we do not read, because their playlist counts in fractions of a second. */
const UNREAD_TIMESCALE = 90_000

/** Fetches bytes as they are; all facts are the playlist's. */
async function fetchUnread(
  session: HlsSession,
  playlist: PlaylistName,
  listed: ListedFragment,
  { rendition, codecs, videoRange, container, keys, mapKeys }: OpaqueListing,
  fetch: Fetch,
  signal: AbortSignal,
): Promise<FetchedTrack> {
  const [initBytes, bytes] = await Promise.all([
    listed.map === undefined ? Buffer.alloc(0) : session.init(playlist, listed.map, signal),
    fetch(),
  ])
  const init = {
    id: contentId(initBytes),
    rendition,
    codec: codecs,
    timescale: UNREAD_TIMESCALE,
    trackId: 0,
    ...(videoRange === undefined || rendition === 'audio' ? {} : { videoRange }),
  }
  const durationTicks = Math.round(listed.durationS * UNREAD_TIMESCALE)
  const unread = { samples: 0, baseTicks: 0, opaque: { container, keys, mapKeys } }
  return {
    rendition,
    initBytes,
    bytes,
    facts: { init, durationTicks, bytes: bytes.length, ...unread },
  }
}

/** Fetches MPEG-TS or packed audio, whose tracks are written anew as fragmented MP4. */
async function fetchSegment(
  playlist: PlaylistName,
  listed: ListedFragment,
  fetch: Fetch,
  run: SegmentRun | undefined,
): Promise<readonly FetchedTrack[]> {
  const { tracks, damage, leftOut, announced = [] } = await readInTurn(listed, fetch, run)
  const lacking = [...damage, ...(leftOut === undefined ? [] : [leftOut])]
  const lacks = lacking.length === 0 ? undefined : unsupportedLack(lacking.join(', '))
  // Beside a playlist of its own, what else a segment carries is not wanted.
  const own = tracks.filter(
    ({ description }) => playlist === 'muxed' || renditionOf(description) === playlist,
  )
  if (own.length === 0)
    throw malformed(`the ${playlist} playlist leads to a segment without ${playlist}`)
  const read = own.map((track) => {
    const media = writeTrack(track)
    return { ...readTrack(media, readInit(media.initBytes)), lacks }
  })
  return playlist === 'muxed' ? withSilent(read, announced) : read
}

function unsupportedLack(what: string): Lack {
  return { what, code: 'upstream_unsupported_media' }
}

/**
 * Reads a segment, with what the one before it left where media go on. What is damaged is asked for again; if that
 * comes again the source sent it like this, and the rest is taken.
 */
async function readInTurn(
  listed: ListedFragment,
  fetch: Fetch,
  run: SegmentRun | undefined,
): Promise<SegmentReading> {
  const turn = run?.enter(listed)
  let known: TsTail | undefined
  const read = (bytes: Buffer): SegmentReading => {
    known = turn?.before
    const context = turn && { before: known }
    const loneMs = listed.durationS * 1000
    const reading = playable(() => readSegment(bytes, { loneMs, run: context }))
    refuseCut(reading.tracks, listed)
    return reading
  }
  let reading: SegmentReading | undefined
  let damage = ''
  try {
    let missing: readonly string[] = []
    const bytes = await fetch((bytes) => {
      reading = read(bytes)
      const before = damage
      missing = missingOf(mediaLengthMs(reading.tracks), listed, run, missing.length > 0)
      damage = [...reading.damage, ...missing].join(', ')
      if (damage === '') return
      const isCut = missing.length > 0 || reading.damage.includes(CUT_PACKET)
      if (run === undefined || ((isCut || run.asksAgain) && before !== damage))
        throw malformed(damage)
      run.asksAgain = false
    })
    if (turn !== undefined && (await turn.settled()) !== known) reading = read(bytes)
    if (reading === undefined) throw malformed('a segment that was not read')
    turn?.leave(reading.tail)
    return { ...reading, damage: [...reading.damage, ...missing] }
  } finally {
    turn?.leave(undefined)
  }
}

/** Says in words by how much a segment is shorter than listed, if it seems to be cut. */
function missingOf(
  mediaMs: number | undefined,
  listed: ListedFragment,
  run: SegmentRun | undefined,
  isAgain: boolean,
): readonly string[] {
  if (mediaMs === undefined || run?.isShort(mediaMs, listed, isAgain) !== true) return []
  return [`${Math.round(mediaMs)} ms of media, listed as ${Math.round(listed.durationS * 1000)} ms`]
}

/** Returns how long the longest track is, as {@link mediaLengthMs}. */
function lengthMs(tracks: readonly FetchedTrack[]): number | undefined {
  return longestMs(
    tracks.map(({ rendition, facts: { samples, durationTicks: ticks, init } }) => ({
      isSound: rendition === 'audio',
      samples,
      ticks,
      timescale: init.timescale,
    })),
  )
}

/**
 * Fetches a segment of boxes, and once more when it seems to be cut between two of them, which its own bytes do not show.
 * What comes again was sent like this.
 */
async function uncut(
  listed: ListedFragment,
  run: SegmentRun | undefined,
  fetch: () => Promise<readonly FetchedTrack[]>,
): Promise<readonly FetchedTrack[]> {
  const first = await fetch()
  if (missingOf(lengthMs(first), listed, run, false).length === 0) return first
  const again = await fetch().catch((error: unknown) => {
    if (error instanceof GatewayError) return first
    throw error
  })
  const tracks = (lengthMs(again) ?? 0) > (lengthMs(first) ?? 0) ? again : first
  const [what] = missingOf(lengthMs(tracks), listed, run, true)
  if (what === undefined) return tracks
  const lack: Lack = { what, code: 'upstream_unavailable' }
  return tracks.map((track) => withLack(track, lack))
}

/**
 * Fetches a fragment with its init segment alongside, not before, because that would cost a cold start a round trip.
 */
async function fetchMp4(
  session: HlsSession,
  playlist: PlaylistName,
  map: ListedMap,
  fetch: Fetch,
  signal: AbortSignal,
): Promise<readonly FetchedTrack[]> {
  const isMuxed = playlist === 'muxed'
  let structure: MediaStructure | undefined
  const [initBytes, bytes] = await Promise.all([
    session.init(playlist, map, signal, (init) => initsOf(session, playlist, init)),
    fetch((fetched) => {
      structure = readMediaStructure(fetched)
    }),
  ])
  const inits = initsOf(session, playlist, initBytes)
  const leftOut = isMuxed ? inits.find((init) => init.leftOut !== undefined)?.leftOut : undefined
  const lacks = leftOut === undefined ? undefined : unsupportedLack(leftOut)
  const tracks = inits.flatMap((init) => {
    const own = isMuxed || init.isShared ? splitMedia(bytes, init.facts) : bytes
    if (own === undefined) return []
    const boxes = own === bytes ? structure : undefined
    const media = { initBytes: init.bytes, bytes: ownMedia(own, init.facts, boxes) }
    const track = readTrack(media, init.facts, media.bytes === bytes ? structure : undefined)
    return [{ ...track, lacks: lacks ?? track.lacks }]
  })
  if (tracks.length === 0) throw malformed('a fragment of other tracks than its init segment')
  const announced = inits.map(({ facts }) => facts.rendition)
  return isMuxed ? withSilent(tracks, announced) : tracks
}

/** Fetches what a listed fragment of one track needs to be decoded, fetched and verified. */
export async function fetchTrackInit(
  session: HlsSession,
  playlist: RenditionName,
  map: ListedMap,
  signal: AbortSignal,
): Promise<InitFacts> {
  const bytes = await session.init(playlist, map, signal, (init) =>
    initsOf(session, playlist, init),
  )
  const [init] = initsOf(session, playlist, bytes)
  if (init === undefined) throw malformed('an init segment of nothing')
  return init.facts
}

/**
 * Verifies a fragment.
 * @throws Mp4Error when a fragment of one track is not what its init segment says
 */
export function verifyTrack(bytes: Buffer, init: InitFacts): void {
  readMedia(bytes, init)
}

/**
 * Reads a track.
 * @param structure of its boxes, for who has read them
 * @throws Mp4Error when the bytes do not fit the init segment
 */
function readTrack(
  media: TrackMedia,
  init: InitFacts,
  structure: MediaStructure = readMediaStructure(media.bytes),
): FetchedTrack {
  const { rendition } = init
  const table = readSamples(media.bytes, init, structure)
  const { startsWithSync: _, ...times } = readMedia(media.bytes, init, structure, table)
  const entry = entryOf(media, init, table)
  const captions = captionsOf(media, init, table)
  const facts = {
    init,
    ...times,
    ...(entry === 'key' ? {} : { entry }),
    ...(captions === undefined ? {} : { captions }),
    bytes: media.bytes.length,
  }
  const lacks = beginsWithUnit(media, init, table) ? undefined : unsupportedLack(NO_PICTURES)
  return { ...media, rendition, facts, lacks }
}

interface TrackInit {
  readonly bytes: Buffer
  readonly facts: InitFacts
  /** Whether the file has other tracks too. */
  readonly isShared: boolean
  /** Sound beside it that we cannot read, in words. */
  readonly leftOut: string | undefined
}

/** The inits by their bytes, which a session keeps, so each is parsed once for all the fragments that use it. */
const known = new WeakMap<Buffer, readonly TrackInit[]>()

/**
 * Reads the inits of a playlist, without sound within the picture's segments, which is not wanted beside a playlist of
 * its own.
 */
function initsOf(
  { passesAnySound = false }: HlsSession,
  playlist: PlaylistName,
  bytes: Buffer,
): readonly TrackInit[] {
  const inits = readInits(bytes).filter(
    ({ facts }) => playlist === 'muxed' || facts.rendition === playlist,
  )
  if (inits.length === 0) {
    throw malformed(`the ${playlist} playlist leads to an init segment without ${playlist}`)
  }
  const [refused] = inits.filter(({ facts }) => !passesAnySound && !isForAll(facts))
  if (refused === undefined) return inits
  const why = `codec ${refused.facts.codec}: not all browsers take it, "hls.sound: any" passes it`
  const others = inits.filter((init) => init !== refused)
  if (others.length === 0) throw upstreamError('upstream_unsupported_media', unsupported(why))
  return others.map((init) => ({ ...init, leftOut: `sound (${why})` }))
}

function isForAll({ rendition, codec }: InitFacts): boolean {
  return rendition === 'video' || isForBrowsers(codec)
}

function readInits(bytes: Buffer): readonly TrackInit[] {
  const before = known.get(bytes)
  if (before !== undefined) return before
  const inits = playable(() => {
    const [first, second] = splitInit(bytes)
    if (first === undefined) return []
    const main = readOwn(first)
    if (second === undefined) return [{ ...main, isShared: false, leftOut: undefined }]
    const sound = unlessUnsupported(() => readOwn(second))
    const isShared = true
    if (typeof sound === 'string') return [{ ...main, isShared, leftOut: `sound (${sound})` }]
    return [main, sound].map((one) => ({ ...one, isShared, leftOut: undefined }))
  })
  known.set(bytes, inits)
  return inits
}

function readOwn(init: Buffer): Pick<TrackInit, 'bytes' | 'facts'> {
  const bytes = preferHvc1(ownInit(init))
  return { bytes, facts: readInit(bytes) }
}

/** Returns what was read, or why it is of no use to us, in words. */
function unlessUnsupported<T>(read: () => T): T | string {
  try {
    return read()
  } catch (error) {
    if (error instanceof Mp4Error && error.fault === 'unsupported') return error.message
    throw error
  }
}

/**
 * Reads media, and fails for good if they will not be playable next time either, because that is not worth another try.
 */
function playable<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof Mp4Error) || error.fault !== 'unsupported') throw error
    throw upstreamError('upstream_unsupported_media', error)
  }
}
