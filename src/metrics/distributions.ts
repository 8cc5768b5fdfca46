import { Histogram } from 'prom-client'

/** Upper bounds in seconds, chosen for what is asked: what a poll and a fetch take, up to what a viewer notices. */
const DELAY_S = [0.025, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10]
/** From an answer of the same region to what attempts are given up at. */
const UPSTREAM_S = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]
/** Up to `startTimeout` and beyond; who waits longer than some seconds leaves. */
const FIRST_PLAYLIST_S = [0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15]

/**
 * Counts how long things take, by the clock that never steps. Values are few: one a fragment, an upstream call or a start,
 * none a viewer.
 */
export class Distributions {
  readonly fragmentDelay = new Histogram({
    name: 'kvs_gateway_fragment_delay_seconds',
    help: 'From when a fragment was found in upstream’s list until ours had it',
    labelNames: ['stream'],
    buckets: DELAY_S,
    registers: [],
  })
  readonly upstream = new Histogram({
    name: 'kvs_gateway_upstream_seconds',
    help: 'From when a call was sent until its last byte, or until it failed',
    labelNames: ['operation'],
    buckets: UPSTREAM_S,
    registers: [],
  })
  readonly firstPlaylist = new Histogram({
    name: 'kvs_gateway_first_playlist_seconds',
    help: 'From the first request of an idle stream until there was something to play',
    buckets: FIRST_PLAYLIST_S,
    registers: [],
  })

  all(): readonly Histogram<string>[] {
    return [this.fragmentDelay, this.upstream, this.firstPlaylist]
  }
}
