/** Public names and what their emulated cameras are: each differs in what makes streams hard. */
export const SOAK_CAMERAS = {
  lobby: { clip: 'av-720p', tfdtBase: 'session' },
  entrance: { clip: 'av-360p', tfdtBase: 'epoch' },
  garage: { clip: 'av-360p-irregular', tfdtBase: 'fragment' },
  yard: { clip: 'video-only', tfdtBase: 'session', silence: 'frozen' },
} as const satisfies Readonly<Record<string, Readonly<Record<string, unknown>>>>
