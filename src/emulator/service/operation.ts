/** Names what can be called, as AWS's documentation does. Session operations are plain GETs; the last two are of STS. */
export const OPERATIONS = [
  'GetDataEndpoint',
  'DescribeStream',
  'GetHLSStreamingSessionURL',
  'ListFragments',
  'GetMediaForFragmentList',
  'DescribeStreamStorageConfiguration',
  'ListTagsForStream',
  'ListStreams',
  'GetHLSMasterPlaylist',
  'GetHLSMediaPlaylist',
  'GetMP4InitFragment',
  'GetMP4MediaFragment',
  'GetTSFragment',
  'AssumeRole',
  'GetCallerIdentity',
] as const

export type Operation = (typeof OPERATIONS)[number]
