import { type Box, readBoxes, readChildren } from '../../formats/mp4/boxes/box.ts'
import type { BoxShape } from '../../trace/trace.ts'

/** The boxes that hold boxes and nothing else. */
const CONTAINERS = ['moov', 'trak', 'edts', 'mdia', 'minf', 'dinf', 'stbl', 'mvex', 'moof', 'traf']

/** Returns the boxes of a file by type and size; those that could be read, where some are damaged. */
export function boxShapes(bytes: Buffer): BoxShape[] {
  return shapesOf(bytes, () => readBoxes(bytes))
}

function shapesOf(bytes: Buffer, read: () => readonly Box[]): BoxShape[] {
  try {
    return read().map((box) => {
      const { type, size } = box
      if (!CONTAINERS.includes(type)) return { type, size }
      return { type, size, children: shapesOf(bytes, () => readChildren(bytes, box)) }
    })
  } catch {
    // What is wrong with them is told by whoever needs what they hold.
    return []
  }
}
