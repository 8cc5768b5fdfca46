import { readSessionRequest } from '../../session/request.ts'
import type { SignedOperation } from '../signed-operation.ts'

export const getHlsStreamingSessionUrl: SignedOperation = (call) => {
  const { camera, body, nowMs, sessions, baseUrl } = call
  const request = readSessionRequest(body, {
    nowMs,
    minExpires: camera.config.minExpires,
    oldestMs: camera.oldestMs(nowMs),
  })
  const { token } = sessions.open(camera, request, nowMs)
  return {
    HLSStreamingSessionURL: `${baseUrl}/hls/v1/getHLSMasterPlaylist.m3u8?SessionToken=${token}`,
  }
}
