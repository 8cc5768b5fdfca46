// @ts-check

/**
 * What an engineer in front of a wall asks first.
 *
 * @param {object} seen
 * @param {HTMLVideoElement} seen.video
 * @param {import('./feed.js').FeedStream | undefined} seen.stream
 * @param {number | undefined} seen.latencyMs
 * @param {number} seen.stalls
 * @param {number} seen.heals
 * @returns {string} a line for each
 */
export function countersOf({ video, stream, latencyMs, stalls, heals }) {
  const { droppedVideoFrames, totalVideoFrames } = video.getVideoPlaybackQuality()
  return [
    `state    ${stream?.state ?? '–'} ${stream?.reason ?? ''}`,
    `latency  ${latencyMs === undefined ? '–' : `${(latencyMs / 1000).toFixed(2)} s`}`,
    `ahead    ${bufferedAhead(video).toFixed(1)} s  ×${video.playbackRate.toFixed(2)}`,
    `picture  ${video.videoWidth}×${video.videoHeight}`,
    `frames   ${totalVideoFrames}, ${droppedVideoFrames} dropped`,
    `stalls   ${stalls}  heals ${heals}`,
  ].join('\n')
}

/** @param {HTMLVideoElement} video */
function bufferedAhead({ buffered, currentTime }) {
  for (let i = 0; i < buffered.length; i += 1) {
    if (buffered.start(i) <= currentTime && currentTime <= buffered.end(i)) {
      return buffered.end(i) - currentTime
    }
  }
  return 0
}
