/** Public names and what their emulated cameras are: each differs in what makes streams hard. */
export const SOAK_CAMERAS = {
  lobby: { clip: 'av-720p', tfdtBase: 'session' },
  entrance: { clip: 'av-360p', tfdtBase: 'epoch' },
  garage: { clip: 'av-360p-irregular', tfdtBase: 'fragment' },
  yard: { clip: 'video-only', tfdtBase: 'session', silence: 'frozen' },
  gate: { clip: 'av-720p', tfdtBase: 'session' },
  porch: { clip: 'hevc', tfdtBase: 'epoch' },
  cellar: { clip: 'audio-only', tfdtBase: 'session' },
} as const satisfies Readonly<Record<string, Readonly<Record<string, unknown>>>>

/** What the gateway asks KVS for, where it is not the default. */
export const SOAK_SOURCES: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  gate: { containerFormat: 'MPEG_TS' },
}
