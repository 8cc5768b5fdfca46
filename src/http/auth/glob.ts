import { isStreamName } from '../../streams/stream-name.ts'

/**
 * Makes a matcher of stream names: `*` any characters, `?` one, everything else itself. Names and patterns have 256
 * characters at most, and a match takes no more than their product in steps, whatever the pattern: the last `*` is the
 * only one whose length is ever thought over.
 */
export function globMatcher(pattern: string): (name: string) => boolean {
  return (name) => isStreamName(name) && matches(pattern, name)
}

function matches(pattern: string, name: string): boolean {
  let at = 0
  let star = -1
  let resume = 0
  for (let i = 0; i < name.length; ) {
    if (pattern[at] === '*') {
      star = at
      resume = i
      at += 1
    } else if (at < pattern.length && (pattern[at] === '?' || pattern[at] === name[i])) {
      at += 1
      i += 1
    } else if (star === -1) {
      return false
    } else {
      // The star takes one character more.
      resume += 1
      i = resume
      at = star + 1
    }
  }
  while (pattern[at] === '*') at += 1
  return at === pattern.length
}
