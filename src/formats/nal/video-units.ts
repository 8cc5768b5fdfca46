import type { AvcDescription, HevcDescription } from '../mp4/track.ts'
import { avcPictureSet, readAvcSequence } from './avc-parameter-sets.ts'
import { hevcPictureId, hevcVideoId, readHevcSequence } from './hevc-parameter-sets.ts'
import { recoveryPointOf } from './recovery-point.ts'

export type VideoCodec = 'avc' | 'hevc'

/** Says what a NAL unit means to a file. The rest is `coded`: slices, and what decoders want to see beside them. */
type Role = SetRole | 'coded' | 'key' | 'dropped'
type SetRole = 'video set' | 'sequence set' | 'picture set'

/** The roles by nal_unit_type: IDR; sets; delimiter and filler, which files do without. ISO/IEC 14496-10, table 7-1. */
const AVC_ROLES: ReadonlyMap<number, Role> = new Map([
  [5, 'key'],
  [7, 'sequence set'],
  [8, 'picture set'],
  [9, 'dropped'],
  [10, 'dropped'],
  [11, 'dropped'],
  [12, 'dropped'],
])

/** The roles by nal_unit_type: BLA, IDR and CRA are random access points. ISO/IEC 23008-2, table 7-1. */
const HEVC_ROLES: ReadonlyMap<number, Role> = new Map([
  ...[16, 17, 18, 19, 20, 21].map((type) => [type, 'key'] as const),
  [32, 'video set'],
  [33, 'sequence set'],
  [34, 'picture set'],
  [35, 'dropped'],
  [36, 'dropped'],
  [37, 'dropped'],
  [38, 'dropped'],
])

/** A picture's NAL units that belong into its sample. */
export interface CodedPicture {
  readonly coded: readonly Buffer[]
  readonly key: boolean
}

/**
 * Sorts the NAL units of a fragment: parameter sets go to the track's description, for an init segment
 * that holds all of them. One that changes afterwards stays with its picture, because an init segment cannot say both.
 */
export class VideoUnits {
  readonly #codec: VideoCodec
  /** The sets by the id that slices and other sets refer to them with. */
  readonly #described: Readonly<Record<SetRole, Map<number, Buffer>>> = emptySets()
  /** The sets that are in force, where they are others. */
  readonly #changed: Readonly<Record<SetRole, Map<number, Buffer>>> = emptySets()

  constructor(codec: VideoCodec) {
    this.#codec = codec
  }

  take(units: readonly Buffer[]): CodedPicture {
    const coded: Buffer[] = []
    let key = false
    for (const unit of units) {
      const role = this.#role(unit)
      const isSet = role === 'video set' || role === 'sequence set' || role === 'picture set'
      if (isSet ? this.#isNews(role, unit) : role !== 'dropped') coded.push(unit)
      key ||= role === 'key' || (this.#codec === 'avc' && recoveryPointOf(unit) === 'whole')
    }
    return { coded, key }
  }

  /** @param before that of the fragment before, whose sets hold where this one brings none */
  description(before?: AvcDescription | HevcDescription): AvcDescription | HevcDescription {
    const sequenceSets = [...this.#described['sequence set'].values()]
    const pictureSets = [...this.#described['picture set'].values()]
    if (sequenceSets.length === 0 && before?.codec === this.#codec) return before
    if (this.#codec === 'avc') return { codec: 'avc', sequenceSets, pictureSets }
    const videoSets = [...this.#described['video set'].values()]
    return { codec: 'hevc', videoSets, sequenceSets, pictureSets }
  }

  #role(unit: Buffer): Role {
    const header = unit[0] ?? 0
    // forbidden_zero_bit: a decoder would drop it, too.
    if (header >= 0x80) return 'dropped'
    const role = this.#codec === 'avc' ? AVC_ROLES.get(header & 0x1f) : HEVC_ROLES.get(header >> 1)
    return role ?? 'coded'
  }

  /**
   * Notes a parameter set. Returns whether the description does not say it.
   * @throws Mp4Error when it is cut off
   */
  #isNews(role: SetRole, unit: Buffer): boolean {
    const id = this.#idOf(role, unit)
    const described = this.#described[role].get(id)
    if (described === undefined) {
      this.#described[role].set(id, unit)
      return false
    }
    const isOther = !described.equals(unit)
    const wasOther = this.#changed[role].has(id)
    if (isOther) this.#changed[role].set(id, unit)
    // What changes back has to be said again: the decoder holds the other one.
    return isOther || wasOther
  }

  #idOf(role: SetRole, unit: Buffer): number {
    const isAvc = this.#codec === 'avc'
    if (role === 'video set') return hevcVideoId(unit)
    if (role === 'picture set') return isAvc ? avcPictureSet(unit).id : hevcPictureId(unit)
    return isAvc ? readAvcSequence(unit).id : readHevcSequence(unit).id
  }
}

function emptySets(): Record<SetRole, Map<number, Buffer>> {
  return { 'video set': new Map(), 'sequence set': new Map(), 'picture set': new Map() }
}
