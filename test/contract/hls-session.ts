import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { UpstreamAgent } from '../../src/upstream/agent.ts'
import type { HlsSession, PlaylistName } from '../../src/upstream/hls-session.ts'
import type { ListedFragment } from '../../src/upstream/listed-fragment.ts'
import { SessionDeadError } from '../../src/upstream/session-dead-error.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { failure, outcome } from '../upstream/support/outcome.ts'
import { type Reply, startWebServer, type WebServer } from '../upstream/support/web-server.ts'

/** How a test opens sessions of one kind, and what its upstream then serves. */
export interface SessionsUnderTest {
  /** Paths of the first playlist, of its init segment and of its first fragment. */
  readonly paths: { readonly list: string; readonly init: string; readonly fragment: string }
  open(signal: AbortSignal): Promise<HlsSession>
}

/** What the suite gives to a kind of session: sockets and a clock. */
export interface SessionSetting {
  readonly server: WebServer
  readonly agent: UpstreamAgent
  readonly clock: ManualClock
}

const never = new AbortController().signal

/** Runs the suite against sessions that `prepare` makes from a server’s answers. */
export function hlsSessionContract(
  name: string,
  prepare: (setting: SessionSetting) => SessionsUnderTest,
): void {
  let server: WebServer
  let agent: UpstreamAgent
  let clock: ManualClock
  let sessions: SessionsUnderTest

  beforeEach(async () => {
    server = await startWebServer()
    agent = new UpstreamAgent()
    clock = new ManualClock()
    sessions = prepare({ server, agent, clock })
  })

  afterEach(async () => {
    await agent.destroy()
    await server[Symbol.asyncDispose]()
  })

  const run = <T>(call: Promise<T>): Promise<T> => outcome(clock, call)
  const open = (): Promise<HlsSession> => run(sessions.open(never))
  const count = (path: string): number => server.asked.filter((one) => one.path === path).length
  const nameOf = ({ playlists }: HlsSession): PlaylistName => playlists[0] ?? 'muxed'

  async function first(session: HlsSession): Promise<ListedFragment> {
    const [fragment] = await run(session.list(nameOf(session), never))
    if (fragment === undefined) throw new Error('nothing is listed')
    return fragment
  }

  const initOf = (session: HlsSession, { map }: ListedFragment): Promise<Buffer> => {
    if (map === undefined) throw new Error('no map is listed')
    return session.init(nameOf(session), map, never)
  }

  describe(`${name} keeps the session contract`, () => {
    test('sessions have numbers of their own, growing, and say when they begin and end', async () => {
      const before = clock.now()
      const [one, two] = [await open(), await open()]
      expect(two.id).toBeGreaterThan(one.id)
      expect(one.openedAtMs).toBeGreaterThanOrEqual(before)
      expect(one.expiresAtMs).toBeGreaterThan(one.openedAtMs)
    })

    test('what is listed can be fetched, whole', async () => {
      const session = await open()
      const fragment = await first(session)
      expect(String(await run(session.fragment(fragment, never)))).toBe('fragment')
      expect(count(sessions.paths.fragment)).toBe(1)
    })

    test('G8: an init segment is fetched once, for all who ask at once and later', async () => {
      const session = await open()
      const fragment = await first(session)
      const inits = await run(Promise.all([1, 2, 3].map(() => initOf(session, fragment))))
      inits.push(await run(initOf(session, fragment)))
      expect(inits.map(String)).toEqual(['init', 'init', 'init', 'init'])
      expect(count(sessions.paths.init)).toBe(1)
    })

    test('G12: a fragment that its reader refuses is asked for again', async () => {
      const session = await open()
      const fragment = await first(session)
      server.replies[sessions.paths.fragment] = inTurn('broken', 'fragment')
      const verify = (bytes: Buffer): void => {
        if (String(bytes) === 'broken') throw new Error('not what was asked for')
      }
      expect(String(await run(session.fragment(fragment, never, { verify })))).toBe('fragment')
    })

    test('G12: a body that is cut is asked for again', async () => {
      const session = await open()
      const fragment = await first(session)
      server.replies[sessions.paths.fragment] = inTurn(cut('fragment'), 'fragment')
      expect(String(await run(session.fragment(fragment, never)))).toBe('fragment')
    })

    test('a playlist that is garbage is asked for again; one that stays garbage is a failure', async () => {
      const session = await open()
      await first(session)
      const good = server.replies[sessions.paths.list] ?? ''
      server.replies[sessions.paths.list] = inTurn('<html>', good)
      expect(await run(session.list(nameOf(session), never))).not.toHaveLength(0)

      server.replies[sessions.paths.list] = '<html>'
      expect(await failure(run(session.list(nameOf(session), never)))).toMatchObject({
        code: 'upstream_unavailable',
      })
    })

    test('a fragment is reached by its number, too; one that nobody knows is gone', async () => {
      const session = await open()
      const { number } = await first(session)
      const { size, body } = await run(session.openFragment(nameOf(session), number, never))
      expect(size).toBe(8)
      const chunks: Buffer[] = []
      for await (const chunk of body) chunks.push(chunk)
      expect(String(Buffer.concat(chunks))).toBe('fragment')

      const unknown = session.openFragment(nameOf(session), number - 500n, never)
      expect(await failure(run(unknown))).toMatchObject({ code: 'segment_gone' })
    })

    test('a playlist that the session does not have is a mistake of the caller', async () => {
      const session = await open()
      const missing: PlaylistName = nameOf(session) === 'audio' ? 'video' : 'audio'
      expect(await failure(session.list(missing, never))).toBeInstanceOf(RangeError)
    })

    test('a closed session stops what runs and starts nothing', async () => {
      const session = await open()
      const fragment = await first(session)
      server.replies[sessions.paths.fragment] = () => {}
      const running = failure(session.fragment(fragment, never))
      session.close()

      expect(await running).toBeInstanceOf(SessionDeadError)
      expect(await failure(session.list(nameOf(session), never))).toBeInstanceOf(SessionDeadError)
      expect(await failure(session.fragment(fragment, never))).toBeInstanceOf(SessionDeadError)
      expect(await failure(initOf(session, fragment))).toBeInstanceOf(SessionDeadError)
    })

    test('a retired session ends what runs and starts nothing', async () => {
      const session = await open()
      const fragment = await first(session)
      const running = session.fragment(fragment, never)
      session.retire()

      expect(String(await run(running))).toBe('fragment')
      expect(await failure(session.fragment(fragment, never))).toBeInstanceOf(SessionDeadError)
    })

    test('who leaves gets the reason of the own signal', async () => {
      const session = await open()
      const fragment = await first(session)
      server.replies[sessions.paths.fragment] = () => {}
      const impatient = new AbortController()
      const running = failure(session.fragment(fragment, impatient.signal))
      impatient.abort(new Error('left'))
      expect(await running).toMatchObject({ message: 'left' })
    })
  })
}

/** One reply after the other; the last one is repeated. */
function inTurn(...replies: readonly Reply[]): Reply {
  let next = 0
  return (response, asked) => {
    const reply = replies[Math.min(next, replies.length - 1)] ?? ''
    next += 1
    if (typeof reply === 'function') reply(response, asked)
    else response.writeHead(200, { 'content-length': Buffer.byteLength(reply) }).end(reply)
  }
}

/** Half of the body, under the length of all of it. */
function cut(body: string): Reply {
  return (response) => {
    response.writeHead(200, { 'content-length': body.length })
    response.write(body.slice(0, body.length / 2), () => response.destroy())
  }
}
