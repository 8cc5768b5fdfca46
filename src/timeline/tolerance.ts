/**
 * Fragments that lie or overlap so far follow on: more is a gap or an overlap (G4). KVS has it so, too
 * (src/upstream/KVS.md). Nothing is placed further from its date.
 */
export const TOLERANCE_MS = 50
