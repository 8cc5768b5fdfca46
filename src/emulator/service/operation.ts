/** Names what can be called, as AWS's documentation does. Session operations are plain GETs; AssumeRole is of STS. */
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
  'AssumeRole',
] as const

export type Operation = (typeof OPERATIONS)[number]
