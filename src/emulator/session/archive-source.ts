import type { FragmentSource } from './fragment-source.ts'

/** Feeds ON_DEMAND sessions, whose first playlist is the only one. */
export const archiveSource: FragmentSource = {
  take: () => [],
  ended: () => true,
}
