import { Dispatcher } from 'undici'
import { beforeEach, describe, expect, test } from 'vitest'
import { type Answer, send } from '../../src/upstream/arriving-answer.ts'

const REQUEST = { origin: 'http://a', path: '/', method: 'GET', headers: {} } as const
const chunk = (bytes: number, fill = 1): Buffer => Buffer.alloc(bytes, fill)

/** Does nothing by itself: tests say what arrives. */
class ScriptedDispatcher extends Dispatcher implements Dispatcher.DispatchController {
  handler: Dispatcher.DispatchHandler = {}
  paused = false
  reason: Error | null = null

  get aborted(): boolean {
    return this.reason !== null
  }

  readonly rawHeaders: Buffer[] = []

  override dispatch(
    _options: Dispatcher.DispatchOptions,
    handler: Dispatcher.DispatchHandler,
  ): boolean {
    this.handler = handler
    return true
  }

  pause(): void {
    this.paused = true
  }

  resume(): void {
    this.paused = false
  }

  abort(reason: Error): void {
    this.reason = reason
    this.handler.onResponseError?.(this, reason)
  }

  start(): void {
    this.handler.onRequestStart?.(this, {})
  }

  head(status = 200): void {
    this.handler.onResponseStart?.(this, status, { etag: 'a' }, 'OK')
  }

  data(bytes: Buffer): void {
    this.handler.onResponseData?.(this, bytes)
  }

  end(): void {
    this.handler.onResponseEnd?.(this, {})
  }
}

let undici: ScriptedDispatcher
let life: AbortController

beforeEach(() => {
  undici = new ScriptedDispatcher()
  life = new AbortController()
})

function answer(): Promise<Answer> {
  const sent = send(undici, { ...REQUEST, signal: life.signal })
  undici.start()
  undici.head(103)
  undici.head()
  return sent
}

async function all({ body }: Answer): Promise<Buffer> {
  const chunks: Buffer[] = []
  await body.read((bytes) => chunks.push(bytes))
  return Buffer.concat(chunks)
}

describe('an answer', () => {
  test('is there with its header fields; one that only informs is none', async () => {
    const { statusCode, isHttp2, headers } = await answer()
    expect([statusCode, isHttp2, headers]).toEqual([200, false, { etag: 'a' }])
  })

  test.each([
    ['before it is asked for', 2],
    ['in part before', 1],
    ['afterwards', 0],
  ])('has the body that came %s', async (_when, before) => {
    const chunks = [chunk(3, 1), chunk(4, 2)]
    const arrived = await answer()
    for (const bytes of chunks.slice(0, before)) undici.data(bytes)
    if (before === 2) undici.end()
    const read = all(arrived)
    for (const bytes of chunks.slice(before)) undici.data(bytes)
    if (before < 2) undici.end()
    expect(await read).toEqual(Buffer.concat(chunks))
  })

  test('has a body that can be iterated', async () => {
    const { body } = await answer()
    undici.data(chunk(3))
    const chunks = body[Symbol.asyncIterator]()
    expect((await chunks.next()).value).toEqual(chunk(3))
    const next = chunks.next()
    undici.data(chunk(4))
    expect((await next).value).toEqual(chunk(4))
    const last = chunks.next()
    undici.end()
    expect((await last).done).toBe(true)
    expect(undici.aborted).toBe(false)
  })

  test('that nobody reads yet makes the connection pause, until somebody does', async () => {
    const arrived = await answer()
    undici.data(chunk(65_000))
    expect(undici.paused).toBe(false)
    undici.data(chunk(600))
    expect(undici.paused).toBe(true)
    const read = all(arrived)
    expect(undici.paused).toBe(false)
    undici.end()
    expect(await read).toHaveLength(65_600)
  })

  test('that is iterated goes on once what waited is taken', async () => {
    const { body } = await answer()
    undici.data(chunk(70_000))
    const chunks = body[Symbol.asyncIterator]()
    await chunks.next()
    expect(undici.paused).toBe(true)
    const next = chunks.next()
    expect(undici.paused).toBe(false)
    undici.data(chunk(1))
    expect((await next).value).toHaveLength(1)
  })
})

describe('what ends an answer early', () => {
  const reason = new Error('enough')

  test('before it is sent, it is not', async () => {
    life.abort(reason)
    await expect(send(undici, { ...REQUEST, signal: life.signal })).rejects.toBe(reason)
    expect(undici.handler).toEqual({})
  })

  test('while it waits for a connection', async () => {
    const sent = send(undici, { ...REQUEST, signal: life.signal })
    life.abort(reason)
    undici.start()
    await expect(sent).rejects.toBe(reason)
  })

  test('while it is read', async () => {
    const read = all(await answer())
    life.abort(reason)
    await expect(read).rejects.toBe(reason)
    expect(undici.reason).toBe(reason)
  })

  test('while it is iterated', async () => {
    const { body } = await answer()
    const next = body[Symbol.asyncIterator]().next()
    life.abort(reason)
    await expect(next).rejects.toBe(reason)
  })

  test('a broken connection', async () => {
    const arrived = await answer()
    undici.data(chunk(1))
    undici.handler.onResponseError?.(undici, reason)
    await expect(all(arrived)).rejects.toBe(reason)
  })

  test('a reader that throws', async () => {
    const { body } = await answer()
    undici.data(chunk(1))
    const read = body.read(() => {
      throw reason
    })
    await expect(read).rejects.toBe(reason)
    expect(undici.reason).toBe(reason)
  })

  test('a reader that iterates no more', async () => {
    const { body } = await answer()
    undici.data(chunk(1))
    for await (const _ of body) break
    expect(undici.aborted).toBe(true)
  })

  test('not one that has arrived', async () => {
    const { body } = await answer()
    undici.end()
    life.abort(reason)
    body.destroy()
    expect(undici.aborted).toBe(false)
  })
})
