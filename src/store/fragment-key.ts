import type { RenditionName } from '../timeline/fragment.ts'

/**
 * Says what has been made of a fragment's media. Each form is other bytes, and is kept for itself: `published` as a
 * list of the live timeline names it, `fetched` as upstream gave it, and `from-…` with times that begin at so many
 * milliseconds since 1970, as a list of the past names it, the first picture perhaps so many milliseconds sooner.
 */
export type FragmentForm = 'published' | RecordedForm

export type RecordedForm = 'fetched' | `from-${number}` | `from-${number}-${number}`

/** Says under what one track of one fragment is stored, wherever. A key never means two byte strings (G1). */
export interface FragmentKey {
  readonly stream: string
  readonly rendition: RenditionName
  /** The `msn-id` of a published segment, where the id names the content; else a FragmentNumber. */
  readonly fragment: string
  readonly form: FragmentForm
}

/**
 * Returns the key of a segment's track as the stream has published it.
 * @param id the content id of its bytes
 */
export function publishedKey(
  stream: string,
  rendition: RenditionName,
  msn: number,
  id: string,
): FragmentKey {
  return { stream, rendition, fragment: `${msn}-${id}`, form: 'published' }
}

/** Returns the key of a track of what upstream has recorded under a FragmentNumber. */
export function recordedKey(
  stream: string,
  rendition: RenditionName,
  number: bigint,
  form: RecordedForm,
): FragmentKey {
  return { stream, rendition, fragment: number.toString(36), form }
}

/** Returns the key as text, different for different keys: `lobby/video/7-0123456789abcdef/published`. */
export function keyText({ stream, rendition, fragment, form }: FragmentKey): string {
  return `${stream}/${rendition}/${fragment}/${form}`
}
