/** Matches MPEG-4 audio, which is AAC but for object type 34, MP3. RFC 6381, 3.3; ISO/IEC 14496-3, table 1.17. */
const AAC = /^mp4a\.40\.(?!34\b)\d+/i
/** Matches what some players do not take: MP3 by its three names, of which two are of MP2 as well, and others. */
const OTHER = /^(mp4a\.(40\.34|6[9B])|ac-3|ec-3|Opus|fLaC)$/

/** Says whether sound is of the codec that all players of HLS take. */
export function isAac(codec: string): boolean {
  return AAC.test(codec)
}

/** Says whether browsers take sound in MP4, so that nobody loses the picture over it. */
export function isForBrowsers(codec: string): boolean {
  return isAac(codec) || codec === 'Opus' || codec === 'fLaC'
}

/** Returns a codec as it stands in CODECS; undefined where no player takes it in MP4. */
export function soundCodecOf(codec: string): string | undefined {
  const name = codec.replace(/^mp4a\.6b$/, 'mp4a.6B')
  return isAac(name) || OTHER.test(name) ? name : undefined
}
