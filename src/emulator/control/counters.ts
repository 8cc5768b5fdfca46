import type { Camera } from '../camera/camera.ts'
import { NO_CAMERA } from '../service/respond.ts'
import type { Service } from '../service/service.ts'
import type { Session } from '../session/session.ts'
import type { Meter } from '../usage/meter.ts'
import type { CameraCounters, Counters, SessionView } from './views.ts'

const ACTIVE_MS = 30_000

export function readCounters(service: Service): Counters {
  const cameras = [...service.cameras.values()].map((camera) => {
    return [camera.name, readCamera(service, camera)] as const
  })
  return {
    cameras: Object.fromEntries(cameras),
    other: service.usage.camera(NO_CAMERA),
    sessions: service.sessions.all.map((session) => readSession(service, session)),
  }
}

function readCamera(service: Service, camera: Camera): CameraCounters {
  const nowMs = service.clock.now()
  const sessions = service.sessionsOf(camera)
  const open = sessions.filter((session) => {
    return session.state(nowMs) === 'open' && session.lastUsedMs !== undefined
  })
  return {
    ...service.usage.camera(camera.name),
    sessionsOpened: sessions.length,
    openSessions: open.length,
    activeSessions: open.filter(({ lastUsedMs = 0 }) => nowMs - lastUsedMs < ACTIVE_MS).length,
    ...readMeters(Object.entries(camera.meters)),
    fragments: service.usage.fragments(camera.name),
  }
}

function readSession(service: Service, session: Session): SessionView {
  return {
    ...service.usage.session(session.id),
    id: session.id,
    token: session.token,
    camera: session.camera.name,
    mode: session.request.mode,
    state: session.state(service.clock.now()),
    openedMs: session.openedMs,
    expiresMs: session.expiresMs,
    lastUsedMs: session.lastUsedMs ?? null,
    ...readMeters(session.meters),
  }
}

function readMeters(meters: Iterable<readonly [string, Meter]>): {
  maxPerSecond: Record<string, number>
  quotaViolations: Record<string, number>
} {
  const used = [...meters].filter(([, meter]) => meter.maxPerSecond > 0)
  const refusing = used.filter(([, meter]) => meter.refused > 0)
  return {
    maxPerSecond: Object.fromEntries(used.map(([name, meter]) => [name, meter.maxPerSecond])),
    quotaViolations: Object.fromEntries(refusing.map(([name, meter]) => [name, meter.refused])),
  }
}
