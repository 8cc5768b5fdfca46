/** As much of a list as its room needs to know. */
export interface RoomyList {
  /** How many entries it has so far. */
  readonly size: number
  /** Lets go of it: whoever asks for it next has it made anew. */
  close(): void
}

/** Bounds what all lists of the past have together, over all streams: the one used longest ago goes first (G18). */
export class ListRoom {
  readonly #mostEntries: number
  /** The lists with as many entries as each had when it was noted, the one used longest ago first. */
  readonly #lists = new Map<RoomyList, number>()
  #entries = 0

  constructor(mostEntries: number) {
    this.#mostEntries = mostEntries
  }

  /** Notes that a list is used, or has grown, and makes room for it. */
  use(list: RoomyList): void {
    this.leave(list)
    this.#lists.set(list, list.size)
    this.#entries += list.size
    for (const [oldest] of this.#lists) {
      if (this.#entries <= this.#mostEntries || oldest === list) return
      this.leave(oldest)
      oldest.close()
    }
  }

  leave(list: RoomyList): void {
    this.#entries -= this.#lists.get(list) ?? 0
    this.#lists.delete(list)
  }
}
