/** What can be called, by the names of AWS's documentation. Session operations are plain GETs. */
export const OPERATIONS = [
  'GetDataEndpoint',
  'DescribeStream',
  'GetHLSStreamingSessionURL',
  'ListFragments',
  'GetHLSMasterPlaylist',
  'GetHLSMediaPlaylist',
  'GetMP4InitFragment',
  'GetMP4MediaFragment',
  'GetTSFragment',
] as const

export type Operation = (typeof OPERATIONS)[number]
