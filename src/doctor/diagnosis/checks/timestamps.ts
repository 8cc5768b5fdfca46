/** Whether the producer's times can be believed, and follow on. */
import type { KvsObservations } from '../../../trace/trace.ts'
import { type Finding, fine, found } from '../finding.ts'
import { counted, span, trimmed } from '../numbers.ts'
import { type Timing, timingOf } from '../timing.ts'

/** Before this no camera has sent to KVS: the clock counts from its own start. */
const NONSENSE_MS = Date.UTC(2001)
/** How far the producer's clock may be off before it is told. It cannot see what has not been sent yet: little is ahead. */
const [BEHIND_MS, AHEAD_MS] = [15_000, 2000]
/** A pace that no clock has, only a network that does not keep up; and one that a good clock does not have. */
const [UPLINK_MS_PER_S, DRIFT_MS_PER_S] = [20, 0.3]
/** How many new connections in five minutes are no accident. */
const MANY_CONNECTIONS = 2
/** How many turns are no accident. */
const TURNS = 4

/** Returns all that is wrong with times; each is a matter of its own. */
export function timestamps({ listing, settings }: KvsObservations): Finding[] {
  const timing = listing && timingOf(listing)
  if (timing === undefined) return []
  const isProducers = settings.fragmentSelectorType === 'PRODUCER_TIMESTAMP'
  const wrong = [...clockFaults(timing, isProducers), ...orderFaults(timing)]
  return wrong.length > 0 ? wrong : [fine('timestamps', sound(timing))]
}

function sound({ lagMs, count }: Timing): string {
  return `they follow on through ${counted(count, 'fragment')}; the producer’s clock is right within ${span(Math.abs(lagMs))}`
}

function clockFaults(timing: Timing, isProducers: boolean): Finding[] {
  const { lagMs, producerMs, growthMsPerS = 0, stepsUp, stepsDown } = timing
  if (producerMs < NONSENSE_MS) {
    const seen = `the producer’s times are of ${new Date(producerMs).toISOString().slice(0, 19)}Z`
    const one = found('timestamps', 'producer_clock_1970', seen)
    // By the server's clock they do not matter.
    return [isProducers ? one : { ...one, level: 'warn' }]
  }
  if (isTwoProducers(timing)) return []
  const faults: Finding[] = []
  if (growthMsPerS > UPLINK_MS_PER_S) {
    const seen = `fragments arrive later and later: ${trimmed(growthMsPerS / 10, 1)} % of the time${stepsDown > 0 ? ', then jump' : ''}`
    return [found('timestamps', 'uplink_slow', seen)]
  }
  if (Math.abs(growthMsPerS) > DRIFT_MS_PER_S) {
    const way = growthMsPerS > 0 ? 'slow' : 'fast'
    const seen = `the producer’s clock runs ${way} by ${Math.round(Math.abs(growthMsPerS) * 1000)} ppm`
    faults.push(found('timestamps', 'producer_clock_drifts', seen))
  }
  if (stepsUp + stepsDown > 0) {
    const seen = `the producer’s clock jumped ${counted(stepsUp + stepsDown, 'time')} in 5 min`
    faults.push(found('timestamps', 'producer_clock_jumps', seen))
  }
  if (lagMs > BEHIND_MS) {
    faults.push(found('timestamps', 'producer_clock_behind', `it is ${span(lagMs)} behind`))
  }
  if (lagMs < -AHEAD_MS) {
    faults.push(found('timestamps', 'producer_clock_ahead', `it is ${span(lagMs)} ahead`))
  }
  return faults
}

function orderFaults(timing: Timing): Finding[] {
  const { gaps, overlaps, twins, connections, stepsUp, stepsDown } = timing
  if (isTwoProducers(timing)) {
    const seen = `two series of times, or connections, take turns (${counted(stepsUp + stepsDown + connections, 'change')} in 5 min)`
    return [found('timestamps', 'two_producers', seen)]
  }
  const faults: Finding[] = []
  if (overlaps > stepsUp + stepsDown || twins > 0) {
    const seen = `${counted(overlaps, 'fragment')} of ${timing.count} begin before the one before ends`
    faults.push(found('timestamps', 'overlaps', seen))
  }
  if (gaps > stepsUp + stepsDown) {
    faults.push(
      found('timestamps', 'gaps', `${counted(gaps, 'gap')} between ${timing.count} fragments`),
    )
  }
  if (connections >= MANY_CONNECTIONS) {
    faults.push(found('timestamps', 'reconnects', `${connections} new connections in 5 min`))
  }
  return faults
}

/** Two clocks take turns, and so do connections; or what one sends lies over what the other has sent. */
function isTwoProducers({ swings, connections, overlaps, twins }: Timing): boolean {
  return swings >= TURNS && Math.max(connections, overlaps + twins) >= TURNS
}
