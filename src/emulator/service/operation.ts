/**
 * What can be called, by the names of AWS's documentation. Session operations are plain GETs;
 * AssumeRole is of STS.
 */
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
