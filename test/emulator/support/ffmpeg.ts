import type { Packet as FilePacket, PacketStream } from '../../proof/decoder-run.ts'
import { lookAt } from '../../proof/look-at-media.ts'

/** What ffmpeg has to say about a file when it decodes all of it; nothing is best. */
export async function decode(bytes: Buffer): Promise<string> {
  return (await lookAt(bytes)).warnings.join('\n')
}

export interface Packet extends FilePacket {
  /** Which of the file's streams it is of. */
  readonly stream: PacketStream
}

/** All packets, as an independent demuxer sees them, stream by stream. */
export async function probe(bytes: Buffer): Promise<readonly Packet[]> {
  const { streams } = await lookAt(bytes)
  return streams.flatMap((stream) => stream.packets.map((packet) => ({ ...packet, stream })))
}

/** Where decode times do not follow on by the packets' own durations, in ticks. */
export function jumps(packets: readonly Packet[]): readonly number[] {
  return packets.flatMap((packet, i) => {
    const previous = packets[i - 1]
    const jump = previous === undefined ? 0 : packet.dts - previous.dts - previous.duration
    return jump === 0 ? [] : [jump]
  })
}
