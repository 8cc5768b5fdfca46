import type { FragmentSource } from './fragment-source.ts'

/** ON_DEMAND: the first playlist is the only one. */
export const archiveSource: FragmentSource = {
  take: () => [],
  ended: () => true,
}
