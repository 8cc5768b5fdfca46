/** The parameters of KVS’s own URIs that say what is asked for, not by whom. */
const PLAIN_PARAMETERS = ['FragmentNumber', 'TrackNumber', 'SequenceNumber']
/** The resources of a session. */
const KVS_RESOURCE = /^get[A-Za-z0-9]{1,60}\.(m3u8|mp4|ts)$/

/** Tags whose value is a number, a date, or one of a few words. */
const PLAIN_TAGS = [
  'EXTM3U',
  'EXTINF',
  'EXT-X-VERSION',
  'EXT-X-TARGETDURATION',
  'EXT-X-MEDIA-SEQUENCE',
  'EXT-X-DISCONTINUITY-SEQUENCE',
  'EXT-X-DISCONTINUITY',
  'EXT-X-PLAYLIST-TYPE',
  'EXT-X-INDEPENDENT-SEGMENTS',
  'EXT-X-ENDLIST',
  'EXT-X-GAP',
  'EXT-X-PROGRAM-DATE-TIME',
  'EXT-X-BYTERANGE',
]
const PLAIN_VALUE = /^[\w.:+-]*$/

/** Attributes whose values tell about media alone. */
const PLAIN_ATTRIBUTES = [
  'AUTOSELECT',
  'AVERAGE-BANDWIDTH',
  'BANDWIDTH',
  'BYTERANGE',
  'CAN-BLOCK-RELOAD',
  'CAN-SKIP-UNTIL',
  'CHANNELS',
  'CODECS',
  'DEFAULT',
  'FORCED',
  'FRAME-RATE',
  'METHOD',
  'RESOLUTION',
  'TYPE',
  'VIDEO-RANGE',
]
const ATTRIBUTE = /([A-Z0-9-]+)=("[^"\n]*"|[^",\n]*)/g
const PLAIN_ATTRIBUTE = /^"?[\w.,:@/ -]{0,100}"?$/
/** Attributes that tie tags together; their values need not be told. */
const GROUP_ATTRIBUTES = ['GROUP-ID', 'AUDIO', 'NAME']

/** Returns a playlist with its tags and what its URIs ask for, and without where they lead and by whose right. */
export function redactPlaylist(text: string): string {
  return text.split(/\r?\n/).map(redactLine).join('\n')
}

function redactLine(line: string): string {
  if (line === '') return line
  if (!line.startsWith('#')) return redactUri(line)
  const [, tag = '', value] = /^#([A-Z0-9-]+)(?::(.*))?$/.exec(line) ?? []
  if (!tag.startsWith('EXT')) return '#'
  if (value === undefined) return `#${tag}`
  if (PLAIN_TAGS.includes(tag)) return `#${tag}:${plainValue(tag, value)}`
  return `#${tag}:${redactAttributes(value)}`
}

function plainValue(tag: string, value: string): string {
  // Behind the comma is a title.
  const plain = tag === 'EXTINF' ? value.replace(/,.*$/, '') : value
  const kept = PLAIN_VALUE.test(plain) ? plain.slice(0, 60) : ''
  return tag === 'EXTINF' ? `${kept},` : kept
}

function redactAttributes(list: string): string {
  return Array.from(list.matchAll(ATTRIBUTE), ([, name = '', value = '']) => {
    if (name === 'URI') return `URI="${redactUri(value.replaceAll('"', ''))}"`
    if (GROUP_ATTRIBUTES.includes(name)) return `${name}="audio"`
    const isPlain = PLAIN_ATTRIBUTES.includes(name) && PLAIN_ATTRIBUTE.test(value)
    return isPlain ? `${name}=${value}` : undefined
  })
    .filter((attribute) => attribute !== undefined)
    .join(',')
}

function redactUri(uri: string): string {
  const [path = '', query] = uri.split('?', 2)
  const file = path.slice(path.lastIndexOf('/') + 1)
  if (!KVS_RESOURCE.test(file)) {
    const [extension = ''] = /\.(m3u8|mp4|m4s|m4a|m4v|ts|aac|cmfv|cmfa)$/i.exec(file) ?? []
    return `uri${extension.toLowerCase()}`
  }
  const parameters = (query ?? '').split('&').flatMap(redactParameter)
  return parameters.length === 0 ? file : `${file}?${parameters.join('&')}`
}

function redactParameter(parameter: string): readonly string[] {
  const [name = '', value = ''] = parameter.split('=', 2)
  if (PLAIN_PARAMETERS.includes(name) && /^\d{1,128}$/.test(value)) return [`${name}=${value}`]
  return name === 'SessionToken' ? ['SessionToken=token'] : []
}
