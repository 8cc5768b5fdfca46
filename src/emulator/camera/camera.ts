import type { Random } from '../../base/backoff.ts'
import type { CameraConfig, CheckedEmulatorConfig } from '../config.ts'
import { type Clip, loadClip } from '../media/clip.ts'
import { cutAnew } from '../media/cut-anew.ts'
import { recordedClip } from '../media/recorded-clip.ts'
import { unevenClip } from '../media/uneven-clip.ts'
import { Faults } from '../service/fault.ts'
import { Meter } from '../usage/meter.ts'
import type { CameraEvent } from './event.ts'
import { Timeline } from './timeline.ts'

const HOUR_MS = 3_600_000

/** What the service counts per stream. */
export interface CameraMeters {
  readonly getDataEndpoint: Meter
  readonly describeStream: Meter
  readonly getHlsStreamingSessionUrl: Meter
  readonly listFragments: Meter
  readonly describeStreamStorageConfiguration: Meter
  readonly listTagsForStream: Meter
  readonly metadataPoints: Meter
  readonly mediaPoints: Meter
}

/** A KVS stream and the producer that feeds it. */
export class Camera {
  readonly name: string
  /** The name by which KVS knows it. Cameras of several regions or accounts may share a stream name. */
  readonly streamName: string
  readonly arn: string
  readonly timeline: Timeline
  readonly faults: Faults
  /** How the service answers for it now; changes while it runs. */
  config: CameraConfig
  meters: CameraMeters = newMeters()

  constructor(
    name: string,
    home: Pick<CheckedEmulatorConfig, 'region' | 'account'>,
    config: CameraConfig,
    random: Random,
  ) {
    this.name = name
    this.streamName = config.streamName ?? name
    this.arn = `${arnPrefix(home, config)}:stream/${this.streamName}/${config.anchorMs}`
    this.config = config
    const clip = clipOf(config)
    this.timeline = new Timeline(name, clip, config.anchorMs, config)
    this.faults = new Faults(random, config.faults)
    for (const { event, atMs } of config.events) {
      this.timeline.script.order(event, atMs ?? config.anchorMs)
    }
  }

  /** The key that encrypts it: AWS's own, or one that may be refused. */
  get kmsKeyArn(): string {
    const kms = this.arn.split(':stream/')[0]?.replace('kinesisvideo', 'kms')
    const own = this.config.kms !== 'aws-key'
    return `${kms}:${own ? 'key/00000000-0000-4000-8000-000000000000' : 'alias/aws/kinesisvideo'}`
  }

  get readable(): boolean {
    return this.config.status === 'ACTIVE' || this.config.status === 'UPDATING'
  }

  /** Returns the beginning of what is retained, as a server time. */
  oldestMs(nowMs: number): number {
    return Math.max(this.config.anchorMs, nowMs - this.config.retentionHours * HOUR_MS)
  }

  order(event: CameraEvent, atMs: number): void {
    this.timeline.script.order(event, atMs)
  }

  resetMeters(): void {
    this.meters = newMeters()
  }
}

function clipOf(config: CameraConfig): Clip {
  const clip = cutAnew(unevenClip(loadClip(config.clip), config.frameStepsMs), config)
  return config.recording === undefined ? clip : recordedClip(clip, config.recording)
}

/** Returns how its ARN begins; a role's streams are those of its account. */
function arnPrefix(
  home: Pick<CheckedEmulatorConfig, 'region' | 'account'>,
  { region = home.region, roleArn }: CameraConfig,
): string {
  const account = roleArn === undefined ? home.account : roleArn.split(':')[4]
  return `arn:aws:kinesisvideo:${region}:${account}`
}

function newMeters(): CameraMeters {
  return {
    getDataEndpoint: new Meter(),
    describeStream: new Meter(),
    getHlsStreamingSessionUrl: new Meter(),
    listFragments: new Meter(),
    describeStreamStorageConfiguration: new Meter(),
    listTagsForStream: new Meter(),
    metadataPoints: new Meter(),
    mediaPoints: new Meter(),
  }
}
