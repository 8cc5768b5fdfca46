import type { RenditionName } from '../timeline/fragment.ts'

/** `stream/rendition/msn-id`, or `init` instead of an MSN. The id names the content, so a key never means two byte strings (G1). */
export type FragmentKey = string

export function fragmentKey(
  stream: string,
  rendition: RenditionName,
  msn: number,
  id: string,
): FragmentKey {
  return `${stream}/${rendition}/${msn}-${id}`
}

export function initKey(stream: string, rendition: RenditionName, id: string): FragmentKey {
  return `${stream}/${rendition}/init-${id}`
}
