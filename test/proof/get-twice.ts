import { httpGet } from './http-get.ts'

/** Codes of undici and Node for a connection that was refused or cut; a late answer has none. */
const CUT = /^(UND_ERR_SOCKET|UND_ERR_RES_CONTENT_LENGTH_MISMATCH|ECONN(RESET|REFUSED)|EPIPE)$/

/** As {@link httpGet}, but asks once more where the connection is refused or cut, as players do. */
export const getTwice: typeof httpGet = async (dispatcher, url, options) => {
  try {
    return await httpGet(dispatcher, url, options)
  } catch (error) {
    if (options.signal.aborted || !isCut(error)) throw error
    return httpGet(dispatcher, url, options)
  }
}

const isCut = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && CUT.test(String(error.code))
