import { createServer, type Socket } from 'node:net'

/** How a stream of HTTP/2 goes on after its body, which has no Content-Length. */
export type Ending =
  | 'END_STREAM'
  | 'RST_STREAM CANCEL'
  | 'RST_STREAM NO_ERROR'
  | 'closed connection'

export interface Http2Answer {
  readonly body: Buffer | string
  readonly ending: Ending
}

export interface Http2Server extends AsyncDisposable {
  readonly url: URL
  /** How many requests came. */
  readonly asked: () => number
  /** What the next requests get, one after the other; the last one is repeated. */
  play(...answers: readonly Http2Answer[]): void
}

/** A server that speaks the few frames of HTTP/2 that one answer takes, and ends it as no library would. RFC 9113. */
export async function startHttp2Server(): Promise<Http2Server> {
  const sockets = new Set<Socket>()
  let answers: readonly Http2Answer[] = []
  let asked = 0
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
    socket.write(frame(SETTINGS, 0, 0))
    // The client's preface comes before its frames.
    let rest = Buffer.alloc(0)
    let skipped = false
    socket.on('data', (data) => {
      rest = Buffer.concat([rest, Buffer.from(data)])
      if (!skipped && rest.length < PREFACE_BYTES) return
      if (!skipped) rest = rest.subarray(PREFACE_BYTES)
      skipped = true
      for (let next = frameOf(rest); next !== undefined; next = frameOf(rest)) {
        rest = rest.subarray(next.bytes)
        if (next.type === SETTINGS && next.flags === 0) socket.write(frame(SETTINGS, ACK, 0))
        if (next.type !== HEADERS) continue
        asked += 1
        const [answer, ...others] = answers
        if (others.length > 0) answers = others
        if (answer !== undefined) send(socket, next.stream, answer)
      }
    })
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return {
    url: new URL(`http://127.0.0.1:${address.port}`),
    asked: () => asked,
    play(...next) {
      answers = next
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise<void>((resolve) => {
        server.close(() => resolve())
      })
    },
  }
}

const PREFACE_BYTES = 24
const HEAD_BYTES = 9
const [DATA, HEADERS, RST_STREAM, SETTINGS] = [0, 1, 3, 4]
const [END_STREAM, ACK, END_HEADERS] = [1, 1, 4]
/** `:status: 200` is entry 8 of HPACK's static table. */
const STATUS_200 = Buffer.from([0x88])
const CODES: Partial<Record<Ending, number>> = { 'RST_STREAM CANCEL': 8, 'RST_STREAM NO_ERROR': 0 }

function send(socket: Socket, stream: number, { body, ending }: Http2Answer): void {
  const code = CODES[ending]
  const last = ending === 'END_STREAM' ? END_STREAM : 0
  const frames = [
    frame(HEADERS, END_HEADERS, stream, STATUS_200),
    frame(DATA, last, stream, Buffer.from(body)),
    ...(code === undefined ? [] : [frame(RST_STREAM, 0, stream, Buffer.from([0, 0, 0, code]))]),
  ]
  socket.write(Buffer.concat(frames))
  if (ending === 'closed connection') socket.end()
}

/** RFC 9113, 4.1. */
function frame(type: number, flags: number, stream: number, payload = Buffer.alloc(0)): Buffer {
  const head = Buffer.alloc(HEAD_BYTES)
  head.writeUIntBE(payload.length, 0, 3)
  head.writeUInt8(type, 3)
  head.writeUInt8(flags, 4)
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, payload])
}

function frameOf(
  bytes: Buffer,
): { bytes: number; type: number; flags: number; stream: number } | undefined {
  if (bytes.length < HEAD_BYTES) return undefined
  const size = HEAD_BYTES + bytes.readUIntBE(0, 3)
  if (bytes.length < size) return undefined
  return {
    bytes: size,
    type: bytes.readUInt8(3),
    flags: bytes.readUInt8(4),
    stream: bytes.readUInt32BE(5),
  }
}
