/**
 * Every event that a person or a script would act on, and when it is told. Types are public and stay as they are; more may come.
 * Each is told once for what may take long: a camera that is away is lost once, however often it is looked for.
 */
export const EVENTS = {
  'stream.lost': 'Nothing comes from the camera any more',
  'stream.back': 'Media come again, and have done so for a while',
  'stream.failed': 'Nothing will come before somebody changes something',
  'source.switched': 'Another source of the stream is shown',
  'session.failed': 'Upstream sessions cannot be opened or renewed, attempt after attempt',
  'quota.near': 'The stream needs almost all KVS points that it may use',
  'auth.refused':
    'Viewers, or who asked the admin listener, were refused: how many since the last time',
  'limit.reached':
    'A limit of the configuration turned somebody away: how often since the last time',
  'config.reloaded': 'The configuration was read again, and applied or refused',
  'node.joined': 'Another node is there',
  'node.left': 'A node is there no more',
} as const satisfies Record<string, string>

export type EventType = keyof typeof EVENTS

/** The names alone, in that order. */
export const EVENT_TYPES = Object.keys(EVENTS) as [EventType, ...EventType[]]
