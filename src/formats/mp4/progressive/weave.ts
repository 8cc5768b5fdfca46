import type { SampleTable } from '../samples.ts'

/** Says where bytes of the file come from: a place in the fragment, or they are here. */
export type PieceSource = Buffer | { readonly start: number; readonly end: number }

/** Samples that lie together in the file. */
export interface WovenChunk {
  readonly samples: number
  readonly sources: readonly PieceSource[]
}

export function lengthOf(source: PieceSource): number {
  return Buffer.isBuffer(source) ? source.length : source.end - source.start
}

/** Returns the media data of a fragment with `inserted` before each sample where decoding can begin. */
export function weave({ samples, pieces }: SampleTable, inserted: Buffer): WovenChunk[] {
  let next = 0
  return pieces.map((piece) => {
    const own = samples.slice(next, next + piece.samples)
    next += piece.samples
    if (inserted.length === 0) return { samples: own.length, sources: [piece] }
    const sources: PieceSource[] = []
    let [from, at] = [piece.start, piece.start]
    for (const { bytes, isSync } of own) {
      if (isSync) {
        if (at > from) sources.push({ start: from, end: at })
        sources.push(inserted)
        from = at
      }
      at += bytes
    }
    return { samples: own.length, sources: [...sources, { start: from, end: piece.end }] }
  })
}
