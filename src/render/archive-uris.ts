import type { ArchiveName } from '../timeline/archive/name.ts'
import type { RenditionName } from '../timeline/fragment.ts'
import { mediaPlaylistUri } from './uris.ts'

/** Returns `archive/{range}/video.m3u8`, relative to the multivariant playlist. */
export function archivePlaylistUri(range: string, rendition: RenditionName): string {
  return `archive/${range}/${mediaPlaylistUri(rendition)}`
}

/**
 * Returns a segment's URI relative to the archive's media playlist. Numbers have 47 digits; 31 letters say the same.
 */
export function archiveSegmentUri(rendition: RenditionName, name: ArchiveName): string {
  return `${rendition}/${archiveSegmentName(name)}`
}

/** Returns `1767225600000-0-{number}.m4s`, whose first picture comes 0 ms sooner than all else, or `{number}-{msn}-{ticks}-{id}.m4s` as the live timeline published it. */
export function archiveSegmentName(name: ArchiveName): string {
  const number = name.number.toString(36)
  return name.kind === 'recorded'
    ? `${name.startMs}-${name.leadMs}-${number}.m4s`
    : `${number}-${name.msn}-${name.baseTicks}-${name.id}.m4s`
}

/** Reads an {@link archiveSegmentName}; undefined when it is none. */
export function parseArchiveSegmentName(file: string): ArchiveName | undefined {
  const [, start, lead, recorded] =
    /^(0|[1-9]\d{0,14})-(0|-?[1-9]\d{0,4})-([0-9a-z]{1,84})\.m4s$/.exec(file) ?? []
  if (start !== undefined && lead !== undefined && recorded !== undefined) {
    const number = fromBase36(recorded)
    return { kind: 'recorded', number, startMs: Number(start), leadMs: Number(lead) }
  }
  const [, published, msn, ticks, id] =
    /^([0-9a-z]{1,84})-(0|[1-9]\d{0,14})-(0|[1-9]\d{0,15})-([0-9a-f]{8,64})\.m4s$/.exec(file) ?? []
  if (published === undefined || msn === undefined || ticks === undefined || id === undefined) {
    return undefined
  }
  const number = fromBase36(published)
  return { kind: 'published', number, msn: Number(msn), baseTicks: Number(ticks), id }
}

/**
 * Says whether a file had its name from a list of an earlier release: `1767225600000-{number}.m4s`. Its bytes were
 * others, and are not made any more.
 */
export function isFormerSegmentName(file: string): boolean {
  return /^(0|[1-9]\d{0,14})-[0-9a-z]{1,84}\.m4s$/.test(file)
}

function fromBase36(text: string): bigint {
  return Array.from(text).reduce((sum, digit) => sum * 36n + BigInt(Number.parseInt(digit, 36)), 0n)
}
