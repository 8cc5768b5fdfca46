import { X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createSecureContext, Server as TlsServer } from 'node:tls'
import type { FastifyInstance } from 'fastify'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Config } from '../config/config.ts'
import { type Fault, formatValue } from '../config/fault.ts'
import type { KeyPair } from '../http/secure-server.ts'

export type TlsFiles = NonNullable<Config['server']['tls']>

/** How often the files are looked at. Nothing that a file system might tell of them is surer: Kubernetes swaps a link. */
const LOOK_EVERY_MS = 10_000

const EXPECTED = {
  cert: 'a PEM file with a certificate',
  key: 'a PEM file with the private key of server.tls.cert',
} as const

/** Says which of the files cannot be used. */
class TlsFilesError extends Error {
  readonly file: keyof TlsFiles

  constructor(file: keyof TlsFiles, cause: unknown) {
    super(`server.tls.${file}: ${reasonOf(cause)}`, { cause })
    this.name = 'TlsFilesError'
    this.file = file
  }
}

/**
 * Reads a certificate and its key, which belong together.
 * @throws TlsFilesError
 */
export async function readTlsFiles(files: TlsFiles): Promise<KeyPair> {
  const cert = await tryWith('cert', () => readFile(files.cert))
  const key = await tryWith('key', () => readFile(files.key))
  await tryWith('cert', () => createSecureContext({ cert }))
  await tryWith('key', () => createSecureContext({ cert, key }))
  return { cert, key }
}

/**
 * Says what is wrong with the TLS files of a configuration.
 * @param file what faults call it
 */
export async function tlsFaults(
  file: string,
  { server: { tls } }: Config,
): Promise<readonly Fault[]> {
  if (tls === undefined) return []
  try {
    await readTlsFiles(tls)
    return []
  } catch (error) {
    if (!(error instanceof TlsFilesError)) throw error
    const got = `${formatValue(tls[error.file])}: ${reasonOf(error.cause)}`
    const key = ['server', 'tls', error.file]
    return [{ file, line: undefined, key, expected: EXPECTED[error.file], got }]
  }
}

/** Shows new connections what the files hold, also when that changes. */
export class Certificate {
  readonly #server: FastifyInstance['server']
  #files: TlsFiles
  /** What the files were seen to hold. */
  #seen: string
  #expiresMs: number

  /** @param pair what the files hold, which is shown already */
  constructor({ server }: FastifyInstance, files: TlsFiles, pair: KeyPair) {
    this.#server = server
    this.#files = files
    this.#seen = textOf([pair.cert, pair.key])
    this.#expiresMs = expiryOf(pair)
  }

  /** When what is shown expires, in milliseconds since 1970. */
  get expiresMs(): number {
    return this.#expiresMs
  }

  /** Says whether the files were seen to hold these. */
  shows({ cert, key }: KeyPair): boolean {
    return textOf([cert, key]) === this.#seen
  }

  /** Shows what these files hold from now on. */
  use(files: TlsFiles, pair: KeyPair): void {
    this.#files = files
    this.#seen = textOf([pair.cert, pair.key])
    this.#show(pair)
  }

  /**
   * Looks at the files again and again until the signal aborts. What cannot be used is told once, and what was there before
   * stays.
   */
  async follow(
    { clock, log }: { readonly clock: Clock; readonly log: Log },
    signal: AbortSignal,
  ): Promise<void> {
    while (!signal.aborted) {
      await clock.sleep(LOOK_EVERY_MS, signal).catch(() => {})
      const files = this.#files
      const now = await contentOf(files)
      if (signal.aborted || files !== this.#files || now === this.#seen) continue
      this.#seen = now
      try {
        const pair = await readTlsFiles(files)
        if (files !== this.#files) continue
        this.#show(pair)
        const until = new Date(this.#expiresMs).toISOString()
        log.info('certificate read again', { file: files.cert, until })
      } catch (error) {
        log.warn('certificate not read again', { error })
      }
    }
  }

  #show(pair: KeyPair): void {
    const server = this.#server
    if (server instanceof TlsServer) server.setSecureContext({ ...pair, minVersion: 'TLSv1.2' })
    this.#expiresMs = expiryOf(pair)
  }
}

/** Says when the certificate itself expires, which is the first of its file: of those behind it clients may know others. */
function expiryOf({ cert }: KeyPair): number {
  return new X509Certificate(cert).validToDate.getTime()
}

/** Returns all that the files hold, or why not. */
async function contentOf({ cert, key }: TlsFiles): Promise<string> {
  const contents = await Promise.all([cert, key].map((path) => readFile(path).catch(reasonOf)))
  return textOf(contents)
}

function textOf(contents: readonly (Buffer | string)[]): string {
  return contents
    .map((content) => (typeof content === 'string' ? content : content.toString('latin1')))
    .join('\0')
}

async function tryWith<T>(file: keyof TlsFiles, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw new TlsFilesError(file, error)
  }
}

/** Says why in a few words, without OpenSSL's numbers. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { code } = error as NodeJS.ErrnoException
  return code !== undefined && /^E[A-Z]+$/.test(code) && !code.startsWith('ERR_')
    ? code
    : (error.message.split(':').at(-1) ?? error.message)
}
