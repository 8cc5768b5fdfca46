import { GatewayError } from '../../base/errors.ts'
import { completeBody } from '../../store/fragment-body.ts'
import { fragmentAnswer } from '../fragment-answer.ts'
import { contentTypeOf, parseMediaFile, parseRendition } from '../media-names.ts'
import type { Output } from '../resource.ts'

/** Serves `/hls/{stream}/{rendition}/{msn}-{id}.m4s` and `init-{id}.mp4`: what live and DVR lists name. */
export const publishedMedia: Output = {
  path: '/hls/:stream/:rendition/:file',
  countedAs: (file) => parseMediaFile(file)?.kind,
  read: (address) => {
    const rendition = parseRendition(address.rendition)
    const file = parseMediaFile(address.file)
    if (rendition === undefined || file === undefined) {
      throw new GatewayError('not_found', 'No segment has that name')
    }
    const type = contentTypeOf(rendition, file)
    return {
      stream: address.stream,
      countedAs: file.kind,
      needs: 'there',
      find: (stream, asker) => {
        if (file.kind === 'init') {
          const bytes = stream.init(rendition, file.id)
          if (bytes !== undefined) return fragmentAnswer(completeBody(bytes), file.id, type)
          throw new GatewayError('segment_gone', 'No listed segment refers to that init any more')
        }
        const body = stream.fragment(rendition, file.msn, file.id, asker.signal, asker.reach)
        return body instanceof Promise
          ? body.then((found) => fragmentAnswer(found, file.id, type))
          : fragmentAnswer(body, file.id, type)
      },
    }
  },
}
