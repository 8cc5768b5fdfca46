let sessionsOpened = 0

/** Counts up within the process; never given twice. */
export function nextSessionId(): number {
  sessionsOpened += 1
  return sessionsOpened
}
