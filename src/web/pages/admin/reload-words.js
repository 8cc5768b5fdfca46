// @ts-check

/**
 * What a reload has done.
 *
 * @typedef {object} ReloadReport
 * @property {{ added: string[], changed: string[], sourceChanged: string[], removed: string[], unchanged: number }} streams
 * @property {string[]} applied
 * @property {string[]} needsRestart
 *
 * @typedef {{ file: string, line: number | null, key: string, expected: string, got: string }} ReloadFault
 *
 * @typedef {{ tone: 'good' | 'note' | 'bad', headline: string, lines: string[] }} ReloadWords
 */

/**
 * @param {ReloadReport} report
 * @returns {ReloadWords}
 */
export function reportInWords({ streams, applied, needsRestart }) {
  const lines = [
    ...line('Streams added', streams.added),
    ...line('Streams changed, which go on', streams.changed),
    ...line('Streams of another source now', streams.sourceChanged),
    ...line('Streams removed', streams.removed),
    ...line('Applied', applied),
    ...line('Needs a restart', needsRestart),
  ]
  if (lines.length === 0) {
    return { tone: 'good', headline: 'The configuration was read again: it is as before.', lines }
  }
  const others = streams.unchanged === 0 ? [] : [`Streams as before: ${streams.unchanged}`]
  const headline =
    needsRestart.length === 0
      ? 'The configuration was read again, and is in force.'
      : 'The configuration was read again. Some of it waits for a restart.'
  const tone = needsRestart.length === 0 ? 'good' : 'note'
  return { tone, headline, lines: [...lines, ...others] }
}

/**
 * @param {string} why
 * @param {readonly ReloadFault[]} faults
 * @returns {ReloadWords}
 */
export function refusalInWords(why, faults) {
  const lines = faults.map(({ file, line: number, key, expected, got }) => {
    const where = number === null ? file : `${file}:${number}`
    return `${where} ${key === '' ? '' : `${key}: `}expected ${expected}, got ${got}`
  })
  return { tone: 'bad', headline: why, lines }
}

/** @param {string} label @param {readonly string[]} names */
function line(label, names) {
  return names.length === 0 ? [] : [`${label}: ${names.join(', ')}`]
}
