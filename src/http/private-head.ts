import type { Headers } from './headers.ts'

/**
 * Makes of a head for everybody one for this viewer alone: no shared cache may keep the answer, and the viewer's own
 * one tells proofs apart, because the next user of the browser may have another.
 * @param vary the header fields that hold the proof
 */
export function privateHead(head: Headers, vary: string): Headers {
  const own: Record<string, string> = {}
  for (const [name, value] of Object.entries(head)) {
    // Targeted fields are for shared caches, and win over the general one there. RFC 9213.
    if (!/^(?:.+-cache-control|surrogate-.+)$/i.test(name)) own[name] = value
  }
  const control = nameOf(own, 'Cache-Control')
  const varying = nameOf(own, 'Vary')
  const before = own[varying]
  return {
    ...own,
    [control]: privately(own[control]),
    [varying]: before === undefined ? vary : `${before}, ${vary}`,
  }
}

/** Finds a field's name as the head spells it. */
function nameOf(head: Headers, name: string): string {
  return Object.keys(head).find((key) => key.toLowerCase() === name.toLowerCase()) ?? name
}

function privately(control: string | undefined): string {
  if (control === undefined) return 'private'
  if (control === 'no-store') return control
  return `private, ${control.replace(/^public, */, '')}`
}
