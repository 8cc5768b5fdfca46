/** Playlists as programs in the field write them. Each loose one says the same as its control. */

/** What all of {@link LOOSE_MEDIA} say. */
export const MEDIA = [
  '#EXTM3U',
  '#EXT-X-VERSION:7',
  '#EXT-X-TARGETDURATION:2',
  '#EXT-X-MEDIA-SEQUENCE:7',
  '#EXT-X-DISCONTINUITY-SEQUENCE:3',
  '#EXT-X-KEY:METHOD=AES-128,URI="key?a=1,2",IV=0x1f',
  '#EXT-X-MAP:URI="init.mp4",BYTERANGE="700@0"',
  '#EXT-X-PROGRAM-DATE-TIME:2026-01-02T03:04:05.000Z',
  '#EXTINF:1.960,',
  'a.m4s?t=1',
  '#EXT-X-DISCONTINUITY',
  '#EXTINF:2.000,',
  'b.m4s?t=1',
  '#EXT-X-GAP',
  '#EXTINF:2.000,',
  'c.m4s?t=1',
  '',
].join('\n')

/** What all of {@link LOOSE_MULTIVARIANT} say. */
export const MULTIVARIANT = [
  '#EXTM3U',
  '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="aac",NAME="English",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="2",URI="a.m3u8"',
  '#EXT-X-STREAM-INF:BANDWIDTH=1280000,AVERAGE-BANDWIDTH=1000000,CODECS="avc1.4d401e,mp4a.40.2",RESOLUTION=320x180,FRAME-RATE=25.000,AUDIO="aac"',
  'v.m3u8',
  '',
].join('\n')

type Edit = readonly [from: string | RegExp, to: string]

function loosely(
  text: string,
  edits: Readonly<Record<string, readonly Edit[]>>,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(edits).map(([name, all]) => [
      name,
      all.reduce((edited, [from, to]) => edited.replace(from, to), text),
    ]),
  )
}

/** The same list by name of what is loose about it. */
export const LOOSE_MEDIA: Readonly<Record<string, string>> = loosely(MEDIA, {
  'CR/LF': [[/\n/g, '\r\n']],
  'CR alone': [[/\n/g, '\r']],
  'no line break at the end': [[/\n$/, '']],
  'a byte order mark': [[/^/, '\uFEFF']],
  'a byte order mark and CR/LF': [
    [/^/, '\uFEFF'],
    [/\n/g, '\r\n'],
  ],
  'empty lines': [[/\n/g, '\n\n']],
  'an empty line before the first': [[/^/, '\n']],
  'blanks at the ends of lines': [[/\n/g, ' \t\n']],
  'blanks before lines': [[/\n(?=.)/g, '\n  ']],
  'attributes behind #EXTM3U': [['#EXTM3U', '#EXTM3U url-tvg="http://x/epg.xml" refresh=5']],
  'blanks after colons': [[/^(#EXT[A-Z-]*):/gm, '$1: ']],
  'blanks before colons': [[/^(#EXT[A-Z-]*):/gm, '$1 :']],
  'blanks around equals signs': [[/(METHOD|URI|IV|BYTERANGE)=/g, '$1 = ']],
  'blanks behind commas': [[/,(?=(URI|IV|BYTERANGE)=)/g, ', ']],
  'trailing commas': [[/^(#EXT-X-(KEY|MAP).*)$/gm, '$1,']],
  'trailing commas and blanks': [[/^(#EXT-X-(KEY|MAP).*)$/gm, '$1 , ']],
  'double commas': [[/,(?=(URI|IV|BYTERANGE)=)/g, ',,']],
  'trailing commas of numbers': [[/(SEQUENCE:\d+)/g, '$1,']],
  'single quotes': [[/"/g, "'"]],
  'no quotes': [[/"/g, '']],
  'quotes where none belong': [
    ['METHOD=AES-128', 'METHOD="AES-128"'],
    ['IV=0x1f', 'IV="0x1f"'],
  ],
  'no leading zero': [['EXTINF:1.960', 'EXTINF:01.960']],
  '17 decimals': [['1.960,', '1.96000000000000000,']],
  'an exponent': [['1.960,', '1.960e0,']],
  'a duration without a comma': [[/(EXTINF:[\d.]+),/g, '$1']],
  titles: [[/(EXTINF:.*),/g, '$1, news, at: 8 =']],
  'IPTV attributes behind the duration': [
    [/(EXTINF:[\d.]+),/g, '$1,tvg-id="x" group-title="a, b",'],
  ],
  'no target duration': [['#EXT-X-TARGETDURATION:2\n', '']],
  'a target duration that is none': [['TARGETDURATION:2', 'TARGETDURATION:two']],
  'a decimal target duration': [['TARGETDURATION:2', 'TARGETDURATION:2.000']],
  'numbers with a decimal point': [['MEDIA-SEQUENCE:7', 'MEDIA-SEQUENCE:7.0']],
  'tags in another order': [
    ['#EXT-X-MEDIA-SEQUENCE:7\n', ''],
    ['#EXT-X-TARGETDURATION:2\n', '#EXT-X-MEDIA-SEQUENCE:7\n#EXT-X-TARGETDURATION:2\n'],
    ['#EXT-X-DISCONTINUITY\n#EXTINF:2.000,\n', '#EXTINF:2.000,\n#EXT-X-DISCONTINUITY\n'],
    ['#EXT-X-GAP\n#EXTINF:2.000,\n', '#EXTINF:2.000,\n#EXT-X-GAP\n'],
  ],
  'unknown tags': [
    [
      /^(#EXTINF)/gm,
      '#EXT-X-FUTURE:A="x\n#EXT-X-CUE-OUT:30\n#EXT-X-BITRATE:x\n#EXTVLCOPT:a=b\n#EXTGRP:x\n$1',
    ],
  ],
  'unknown attributes': [
    ['URI="key', 'KEYID=0x11,x-note=\'a "b"\',URI="key'],
    ['URI="init.mp4"', 'URI="init.mp4",X-LANG="ü,=",lower=1'],
  ],
  'tags of low latency': [
    [
      '#EXT-X-MEDIA',
      '#EXT-X-PART-INF:PART-TARGET=.5\n#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES\n#EXT-X-MEDIA',
    ],
    ['b.m4s', '#EXT-X-PART:DURATION=1,URI="b.1.m4s"\n#EXT-X-PRELOAD-HINT:TYPE=PART,URI="x"\nb.m4s'],
    [/$/, '#EXT-X-PART:DURATION=1,URI="d.1.m4s"\n#EXT-X-PRELOAD-HINT:TYPE=PART,URI="d.2.m4s"\n'],
  ],
  'broken tags that nobody needs': [
    [
      '#EXT-X-MEDIA-S',
      '#EXT-X-START:x\n#EXT-X-DATERANGE:ID\n#EXT-X-PART\n#EXT-X-SESSION-KEY:"\n#EXT-X-ALLOW-CACHE:?\n#EXT-X-MEDIA-S',
    ],
  ],
  comments: [[/\n/g, '\n# a comment: #EXTINF:1,\n##\n']],
  'a date without a zone': [['05.000Z', '05.000']],
  'a date with more digits': [['05.000Z', '05.000000Z']],
  'a key with a name for its format': [['IV=0x1f', 'IV=0x1f,KEYFORMAT="identity"']],
})

export const LOOSE_MULTIVARIANT: Readonly<Record<string, string>> = loosely(MULTIVARIANT, {
  'CR/LF': [[/\n/g, '\r\n']],
  'a byte order mark': [[/^/, '\uFEFF']],
  'blanks after colons': [[/^(#EXT[A-Z-]*):/gm, '$1: ']],
  'blanks around equals signs': [[/([A-Z-]+)=/g, '$1 = ']],
  'blanks behind commas': [[/,(?=[A-Z-]+=)/g, ', ']],
  'trailing commas': [[/^(#EXT-X-(?:MEDIA|STREAM-INF).*)$/gm, '$1,']],
  'single quotes': [[/"/g, "'"]],
  'no quotes': [[/"/g, '']],
  'quotes where none belong': [[/=(YES|AUDIO|\d+x\d+|[\d.]+)(?=,)/g, '="$1"']],
  'a capital X': [['320x180', '320X180']],
  'blanks within CODECS': [['avc1.4d401e,mp4a', 'avc1.4d401e , mp4a']],
  'a bandwidth with a decimal point': [['BANDWIDTH=1280000', 'BANDWIDTH=1280000.0']],
  'words in lower case': [[/YES/g, 'yes']],
  'unknown tags': [
    [
      '#EXT-X-STREAM',
      '#EXT-X-CONTENT-STEERING:SERVER-URI="x"\n#EXT-X-SESSION-DATA:\n#EXT-X-STREAM',
    ],
  ],
  'unknown attributes': [['AUDIO="aac"', 'AUDIO="aac",X-COM-EXAMPLE="1,2",SCORE=1.0,NAME=720p HD']],
  'media of other types, whole and broken': [
    [
      /^(#EXT-X-MEDIA)/m,
      '#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="s",NAME="s",URI="s.m3u8"\n#EXT-X-MEDIA:TYPE=FUTURE\n#EXT-X-MEDIA:"\n$1',
    ],
  ],
  'lists of key frames': [
    ['#EXT-X-STREAM', '#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=1,URI="i.m3u8"\n#EXT-X-STREAM'],
  ],
  'a comment between the tag and its URI': [['v.m3u8', '# here\n\nv.m3u8']],
})
