import type { LiveSource } from '../timeline/fragment.ts'

/** Which of a stream's sources is shown. */
export type Selection =
  /** The stream's own source is shown, and the backup is not asked for anything. */
  | { readonly kind: 'camera' }
  /** The backup is shown, and the stream's own source is tried all the time. */
  | { readonly kind: 'backup' }
  /** Neither delivers, and the first that does is shown. */
  | { readonly kind: 'away' }
  /** The source that an operator wants is shown, whether it delivers or not. */
  | { readonly kind: 'forced'; readonly source: LiveSource }

export interface SourceSigns {
  readonly delivers: boolean
  /** Whether it has delivered without a break for as long as it takes to be trusted again. */
  readonly steady: boolean
}

/** What each source does now; a stream without a backup has one that never delivers. */
export type Signs = Readonly<Record<LiveSource, SourceSigns>>

/** Returns what is shown next, by what the sources do now. */
export function select(selection: Selection, signs: Signs): Selection {
  switch (selection.kind) {
    case 'camera':
      return signs.camera.delivers ? selection : firstOf(signs)
    case 'backup':
      // One that comes and goes must not take viewers along: each change is a discontinuity to them.
      if (signs.camera.steady) return { kind: 'camera' }
      return signs.backup.delivers ? selection : firstOf(signs)
    case 'away':
      return firstOf(signs)
    case 'forced':
      return selection
  }
}

function firstOf({ camera, backup }: Signs): Selection {
  if (camera.delivers) return { kind: 'camera' }
  return { kind: backup.delivers ? 'backup' : 'away' }
}

/** Returns what an operator orders; undefined leaves it to the sources again. */
export function force(selection: Selection, source: LiveSource | undefined): Selection {
  if (source !== undefined) return { kind: 'forced', source }
  return selection.kind === 'forced' ? { kind: selection.source } : selection
}

export function shownOf(selection: Selection): LiveSource | undefined {
  switch (selection.kind) {
    case 'camera':
    case 'backup':
      return selection.kind
    case 'away':
      return undefined
    case 'forced':
      return selection.source
  }
}

/** Names the sources that are asked for media. */
export function followedIn(selection: Selection): readonly LiveSource[] {
  switch (selection.kind) {
    case 'camera':
      return ['camera']
    case 'backup':
    case 'away':
      return ['camera', 'backup']
    case 'forced':
      return [selection.source]
  }
}
