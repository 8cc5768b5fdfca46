import type { GatewayCounters } from '../metrics/gateway-counters.ts'
import type { Stream } from '../streams/stream.ts'
import { DownstreamCounts } from './downstream-counts.ts'
import { RenderedDvr } from './rendered-dvr.ts'
import { type PlaylistRenderer, RenderedPlaylists } from './rendered-playlists.ts'

/** What serving keeps beside a stream: its rendered playlists and its counts. */
export interface ServedStream {
  readonly stream: Stream
  readonly playlists: RenderedPlaylists
  readonly dvr: RenderedDvr
  readonly counts: DownstreamCounts
}

/** One record per stream for as long as the stream lives; nothing to clean up after it. */
export class ServedStreams {
  readonly #records = new WeakMap<Stream, ServedStream>()
  readonly #render: PlaylistRenderer
  readonly #counters: GatewayCounters

  constructor(render: PlaylistRenderer, counters: GatewayCounters) {
    this.#render = render
    this.#counters = counters
  }

  of(stream: Stream): ServedStream {
    let record = this.#records.get(stream)
    if (record === undefined) {
      record = {
        stream,
        playlists: new RenderedPlaylists(this.#render),
        dvr: new RenderedDvr(),
        counts: new DownstreamCounts(this.#counters, stream.name),
      }
      this.#records.set(stream, record)
    }
    return record
  }
}
