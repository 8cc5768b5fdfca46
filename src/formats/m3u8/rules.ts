import { parseAttributes } from './attributes.ts'
import { PlaylistError, type PlaylistLine } from './playlist-error.ts'

/** Says what is wrong with a line, or undefined. */
type Rule = (value: string) => string | undefined

/**
 * The tags that reach m3u8-parser, and what each must look like first. The parser repairs what it does
 * not understand (`EXTINF:-1` becomes the target duration) and keeps group names as object keys, so a
 * group called `constructor` would reach into Object itself. Tags not named here pass by unread.
 */
const RULES: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ['#EXTM3U', accept],
  ['#EXT-X-VERSION', matching(/^\d{1,4}$/, 'a version')],
  ['#EXT-X-TARGETDURATION', matching(/^\d{1,9}(\.\d{1,9})?$/, 'a duration in seconds')],
  ['#EXT-X-MEDIA-SEQUENCE', matching(/^\d{1,15}$/, 'a whole number')],
  ['#EXT-X-DISCONTINUITY-SEQUENCE', matching(/^\d{1,15}$/, 'a whole number')],
  ['#EXT-X-DISCONTINUITY', accept],
  ['#EXT-X-GAP', accept],
  ['#EXT-X-ENDLIST', accept],
  ['#EXTINF', matching(/^\d{1,9}(\.\d{0,12})?(,|$)/, 'a duration in seconds')],
  ['#EXT-X-PROGRAM-DATE-TIME', (value) => (isDate(value) ? undefined : 'expected a date')],
  ['#EXT-X-MAP', (value) => attributeProblem(value, ['URI'])],
  ['#EXT-X-KEY', checkKey],
  ['#EXT-X-BYTERANGE', matching(/^\d{1,15}(@\d{1,15})?$/, 'a byte range')],
  // Without its variables a list would name what does not exist.
  ['#EXT-X-DEFINE', () => 'variables are not supported'],
  ['#EXT-X-SKIP', () => 'a delta update, which was not asked for'],
  ['#EXT-X-STREAM-INF', (value) => attributeProblem(value, ['BANDWIDTH'])],
  ['#EXT-X-MEDIA', checkMedia],
])

/**
 * The lines that m3u8-parser may read.
 * @throws PlaylistError naming the first line that breaks its tag's rule
 */
export function readableLines(lines: readonly PlaylistLine[]): readonly PlaylistLine[] {
  return lines.filter((line) => {
    if (line.tag === '') return true
    const problem = RULES.get(line.tag)?.(line.value)
    if (problem !== undefined) throw PlaylistError.at(line, problem)
    return RULES.has(line.tag)
  })
}

function accept(): undefined {
  return undefined
}

function matching(form: RegExp, what: string): Rule {
  return (value) => (form.test(value) ? undefined : `expected ${what}`)
}

function isDate(value: string): boolean {
  return value.length <= 40 && /^\d{4}-/.test(value) && !Number.isNaN(Date.parse(value))
}

function attributeProblem(list: string, required: readonly string[]): string | undefined {
  const attributes = parseAttributes(list)
  if (attributes === undefined) return 'malformed attribute list'
  const missing = required.find((name) => (attributes.get(name) ?? '') === '')
  return missing === undefined ? undefined : `${missing} is missing`
}

function checkKey(list: string): string | undefined {
  const attributes = parseAttributes(list)
  if (attributes?.get('METHOD') === 'NONE') return undefined
  const iv = attributes?.get('IV')
  if (iv !== undefined && !/^0x[0-9a-f]{1,32}$/i.test(iv)) return 'expected an IV of 128 bits'
  return attributeProblem(list, ['METHOD', 'URI'])
}

const MEDIA_TYPES = ['AUDIO', 'VIDEO', 'SUBTITLES', 'CLOSED-CAPTIONS']

function checkMedia(list: string): string | undefined {
  const problem = attributeProblem(list, ['TYPE', 'GROUP-ID', 'NAME'])
  if (problem !== undefined) return problem
  const attributes = parseAttributes(list)
  const keys = [attributes?.get('GROUP-ID') ?? '', attributes?.get('NAME') ?? '']
  if (!MEDIA_TYPES.includes(attributes?.get('TYPE') ?? '')) return 'unknown TYPE'
  return keys.some((key) => key in Object.prototype) ? 'reserved name' : undefined
}
