import type { RenditionName } from '../timeline/fragment.ts'

/** `stream/rendition/msn-id`. The id names the content, so a key never means two byte strings (G1). */
export type FragmentKey = string

export function fragmentKey(
  stream: string,
  rendition: RenditionName,
  msn: number,
  id: string,
): FragmentKey {
  return `${stream}/${rendition}/${msn}-${id}`
}
