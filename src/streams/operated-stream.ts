import type { SourceSwitch } from '../sources/source-switch.ts'
import type { LiveStream } from './live-stream.ts'
import type { StreamStatus } from './status.ts'

/** A stream with the parts of it that only operators ask about. */
export interface OperatedStream {
  readonly stream: LiveStream
  readonly sources: SourceSwitch
  readonly activation: StreamStatus['activation']
}

/** Resolves when nothing of it runs any more. */
export async function stopForGood({ stream, sources }: OperatedStream): Promise<void> {
  stream.archives?.close()
  await stream.stop()
  sources.close()
}
