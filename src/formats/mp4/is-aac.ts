/** Matches MPEG-4 audio, which is AAC but for object type 34, MP3. RFC 6381, 3.3; ISO/IEC 14496-3, table 1.17. */
const AAC = /^mp4a\.40\.(?!34\b)/i

/** Says whether sound is of the codec that all players of HLS take. */
export function isAac(codec: string): boolean {
  return AAC.test(codec)
}
