import { malformed, unsupported } from '../mp4/mp4-error.ts'
import type { AvcDescription, HevcDescription } from '../mp4/track.ts'
import { avcPictureId, readAvcSequence } from './avc-parameter-sets.ts'
import { hevcPictureId, hevcVideoId, readHevcSequence } from './hevc-parameter-sets.ts'

export type VideoCodec = 'avc' | 'hevc'

/** What a NAL unit means to a file. The rest is `coded`: slices, and what decoders want to see beside them. */
type Role = SetRole | 'coded' | 'key' | 'dropped'
type SetRole = 'video set' | 'sequence set' | 'picture set'

/** nal_unit_type. ISO/IEC 14496-10, table 7-1: IDR; sets; delimiter and filler, which files do without. */
const AVC_ROLES: ReadonlyMap<number, Role> = new Map([
  [5, 'key'],
  [7, 'sequence set'],
  [8, 'picture set'],
  [9, 'dropped'],
  [12, 'dropped'],
])

/** ISO/IEC 23008-2, table 7-1. BLA, IDR and CRA are random access points. */
const HEVC_ROLES: ReadonlyMap<number, Role> = new Map([
  ...[16, 17, 18, 19, 20, 21].map((type) => [type, 'key'] as const),
  [32, 'video set'],
  [33, 'sequence set'],
  [34, 'picture set'],
  [35, 'dropped'],
  [38, 'dropped'],
])

/** A picture's NAL units that belong into its sample. */
export interface CodedPicture {
  readonly coded: readonly Buffer[]
  readonly key: boolean
}

/**
 * Sorts the NAL units of a fragment: parameter sets go to the track's description, for an init segment
 * that holds all of them.
 */
export class VideoUnits {
  readonly #codec: VideoCodec
  /** By the id that slices and other sets refer to them with. */
  readonly #sets: Readonly<Record<SetRole, Map<number, Buffer>>> = {
    'video set': new Map(),
    'sequence set': new Map(),
    'picture set': new Map(),
  }

  constructor(codec: VideoCodec) {
    this.#codec = codec
  }

  /** @throws Mp4Error when a parameter set changes: one init segment cannot say both */
  take(units: readonly Buffer[]): CodedPicture {
    const coded: Buffer[] = []
    let key = false
    for (const unit of units) {
      const role = this.#role(unit)
      if (role === 'coded' || role === 'key') coded.push(unit)
      else if (role !== 'dropped') this.#keep(role, unit)
      key ||= role === 'key'
    }
    return { coded, key }
  }

  description(): AvcDescription | HevcDescription {
    const sequenceSets = [...this.#sets['sequence set'].values()]
    const pictureSets = [...this.#sets['picture set'].values()]
    if (this.#codec === 'avc') return { codec: 'avc', sequenceSets, pictureSets }
    const videoSets = [...this.#sets['video set'].values()]
    return { codec: 'hevc', videoSets, sequenceSets, pictureSets }
  }

  #role(unit: Buffer): Role {
    const header = unit.readUInt8(0)
    if (header >= 0x80) throw malformed('a NAL unit with its forbidden bit set')
    const role = this.#codec === 'avc' ? AVC_ROLES.get(header & 0x1f) : HEVC_ROLES.get(header >> 1)
    return role ?? 'coded'
  }

  #keep(role: SetRole, unit: Buffer): void {
    const id = this.#idOf(role, unit)
    const known = this.#sets[role].get(id)
    if (known !== undefined && !known.equals(unit)) {
      throw unsupported(`a ${role} that changes within a fragment`)
    }
    this.#sets[role].set(id, unit)
  }

  #idOf(role: SetRole, unit: Buffer): number {
    const isAvc = this.#codec === 'avc'
    if (role === 'video set') return hevcVideoId(unit)
    if (role === 'picture set') return isAvc ? avcPictureId(unit) : hevcPictureId(unit)
    return isAvc ? readAvcSequence(unit).id : readHevcSequence(unit).id
  }
}
