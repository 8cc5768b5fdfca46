/** How bad it is: `warn` works, but not as well as it could, or not for long; `fail` does not work. */
export type Level = 'ok' | 'warn' | 'fail'

interface Cause {
  readonly level: Exclude<Level, 'ok'>
  /** What to do, as an order. */
  readonly todo: string
}

/**
 * All that the doctor can say of what is wrong, by a code for scripts. `STREAM`, `REGION` and `ACTION` stand for those that it
 * concerns. KVS.md, sections 7, 10 and 12; the README has the table for people.
 */
export const CAUSES = {
  no_region: {
    level: 'fail',
    todo: 'Name the region: --region, aws.region in the configuration, or AWS_REGION.',
  },
  no_credentials: {
    level: 'fail',
    todo: 'Give credentials in one of the SDK’s ways: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE, or the role of the machine or container.',
  },
  credentials_expired: {
    level: 'fail',
    todo: 'Get new temporary credentials (aws sso login, or whoever handed these out); the gateway renews those of roles and profiles itself.',
  },
  credentials_refused: {
    level: 'fail',
    todo: 'Check the access key: AWS does not know it, or its secret is another one; temporary ones need AWS_SESSION_TOKEN, too.',
  },
  role_refused: {
    level: 'fail',
    todo: 'Let the role’s trust policy name who asks (and the externalId, if it wants one), and allow who asks sts:AssumeRole on it.',
  },
  action_missing: {
    level: 'fail',
    todo: 'Add to the policy of who asks: {"Effect":"Allow","Action":ACTION,"Resource":"arn:PARTITION:kinesisvideo:REGION:*:stream/STREAM/*"}',
  },
  action_denied: {
    level: 'fail',
    todo: 'A policy above the asker’s own forbids it: a service control policy, a permissions boundary, or the policy of its session. Allow it there; a statement in its own policy does not help.',
  },
  doctor_action_missing: {
    level: 'warn',
    todo: 'Only the doctor uses it. To have it looked at, add: {"Effect":"Allow","Action":ACTION,"Resource":"arn:PARTITION:kinesisvideo:REGION:*:stream/STREAM/*"}',
  },
  other_account: {
    level: 'fail',
    todo: 'The stream is another account’s: set kvs.roleArn to a role there that may read it.',
  },
  kms_denied: {
    level: 'fail',
    todo: 'Allow who asks kms:Decrypt on the stream’s key, in its IAM policy and in the key policy; see that the key is enabled.',
  },
  clock_off: {
    level: 'fail',
    todo: 'Set this machine’s clock (chrony, systemd-timesyncd). The gateway signs by AWS’s date all the same, but viewers’ tokens and logs go by this one.',
  },
  clock_late: {
    level: 'warn',
    todo: 'Keep this machine’s clock in step (chrony, systemd-timesyncd): delays are measured by it, and viewers’ tokens judged.',
  },
  control_unreachable: {
    level: 'fail',
    todo: 'Let this machine reach kinesisvideo.REGION.amazonaws.com at port 443. If that needs a proxy here, set HTTPS_PROXY; in a VPC without internet, an interface endpoint com.amazonaws.REGION.kinesisvideo with private DNS. Where aws.endpoint or AWS_ENDPOINT_URL names another host, see to that one.',
  },
  proxy_refuses: {
    level: 'fail',
    todo: 'See that HTTPS_PROXY names a proxy that answers, with user and password if it wants them, and that it lets *.kinesisvideo.REGION.amazonaws.com through.',
  },
  proxy_needed: {
    level: 'fail',
    todo: 'DNS does not know AWS’s host here: set HTTPS_PROXY if this network has a proxy that does; else have DNS answer for *.kinesisvideo.REGION.amazonaws.com.',
  },
  stranger_answers: {
    level: 'fail',
    todo: 'Something between here and AWS answers in its place: set HTTPS_PROXY if this network has a proxy, or have *.kinesisvideo.REGION.amazonaws.com let through.',
  },
  tls_intercepted: {
    level: 'fail',
    todo: 'Something in between signs for AWS’s hosts: let *.kinesisvideo.REGION.amazonaws.com through unopened, or name its certificate in NODE_EXTRA_CA_CERTS.',
  },
  wrong_endpoint: {
    level: 'fail',
    todo: 'Another service answers at this address: see aws.endpoint and AWS_ENDPOINT_URL…; leave both out for AWS itself.',
  },
  kvs_failing: {
    level: 'fail',
    todo: 'KVS answers with an error of its own: try again in a minute; if it stays, see AWS Health for REGION.',
  },
  stream_not_found: {
    level: 'fail',
    todo: 'Check name and region: aws kinesisvideo list-streams --region REGION. A stream of another account needs kvs.roleArn.',
  },
  wrong_region: {
    level: 'fail',
    todo: 'The stream is in another region: set it with --region, kvs.region or aws.region.',
  },
  stream_not_active: {
    level: 'fail',
    todo: 'Wait until the stream is ACTIVE; one that is DELETING has to be made anew.',
  },
  no_retention: {
    level: 'fail',
    todo: 'HLS needs recorded fragments: aws kinesisvideo update-data-retention --stream-name STREAM --operation INCREASE_DATA_RETENTION --data-retention-change-in-hours 24 --current-version VERSION',
  },
  short_retention: {
    level: 'warn',
    todo: 'Raise the stream’s retention above the DVR window, or lower dvr: what KVS has forgotten is not backfilled.',
  },
  warm_short_fragments: {
    level: 'warn',
    todo: 'The warm tier charges ingestion by the fragment: make them longer (4 to 6 s), or keep the stream in the hot tier.',
  },
  never_recorded: {
    level: 'fail',
    todo: 'Start the producer, and see that it sends to this stream, in this region and account: PutMedia.IncomingBytes in CloudWatch.',
  },
  producer_silent: {
    level: 'fail',
    todo: 'See to the camera, its network and its producer: it has sent before, and sends nothing now.',
  },
  data_unreachable: {
    level: 'fail',
    todo: 'Let this machine, or its proxy, reach *.kinesisvideo.REGION.amazonaws.com as well, not the control host alone.',
  },
  slow_download: {
    level: 'warn',
    todo: 'Fragments take longer to come than they last: give this machine more bandwidth, or the camera a lower bitrate.',
  },
  throttled: {
    level: 'warn',
    todo: 'Somebody else reads this stream at its quota: see who (CloudTrail; GetMP4MediaFragment.Requests in CloudWatch), have them watch the gateway instead, or lower aws.quotaShare.',
  },
  account_throttled: {
    level: 'warn',
    todo: 'The account’s own limit of these calls is used up (300 a second): see who makes so many (CloudTrail), or have AWS raise it.',
  },
  throttled_out: {
    level: 'fail',
    todo: 'Somebody else uses up this stream’s quota: find them (CloudTrail; GetMP4MediaFragment.Requests in CloudWatch), and have them watch the gateway instead.',
  },
  codec_private_data_missing: {
    level: 'fail',
    todo: 'Have the producer set the track’s codec private data (SPS and PPS as avcC; kvssink and the producer SDK do when the caps have codec_data: h264parse).',
  },
  audio_private_data_missing: {
    level: 'fail',
    todo: 'Have the producer set the audio track’s codec private data (AudioSpecificConfig), or send no audio track.',
  },
  codec_private_data_invalid: {
    level: 'fail',
    todo: 'Have the producer send avcC or hvcC as codec private data: of an Annex B stream set NAL_ADAPTATION_ANNEXB_CPD_NALS (kvssink: stream-format=avc).',
  },
  annex_b: {
    level: 'fail',
    todo: 'The producer sends Annex B (start codes): set NAL_ADAPTATION_ANNEXB_NALS and …_CPD_NALS in the SDK, or stream-format=avc, alignment=au in GStreamer.',
  },
  unsupported_codec: {
    level: 'fail',
    todo: 'Send H.264 or HEVC as track 1 and, if at all, AAC as track 2: nothing else plays as HLS (G.711 and PCM do not).',
  },
  hevc: {
    level: 'warn',
    todo: 'HEVC does not play in every browser: send H.264 where viewers’ devices are not known.',
  },
  long_gop: {
    level: 'warn',
    todo: 'Set the encoder’s key-frame interval to 2 s (at most 4): players stay three fragments behind, and KVS refuses those beyond 20 s.',
  },
  long_fragments: {
    level: 'warn',
    todo: 'Have the producer begin a fragment with each key frame, 2 s apart (kvssink fragment-duration, the SDK’s fragmentDuration): players stay three of them behind.',
  },
  short_fragments: {
    level: 'warn',
    todo: 'Make fragments 1 s or longer (2 s is a good length): KVS takes five a second at most, throttles below 1 s, and each costs a request.',
  },
  first_not_key: {
    level: 'warn',
    todo: 'Have the producer begin each fragment with a key frame: no player can begin with these.',
  },
  producer_clock_1970: {
    level: 'fail',
    todo: 'The producer’s times count from 1970 or from its start: set its clock, or have it send absolute times (absoluteFragmentTimes); or use fragmentSelectorType: SERVER_TIMESTAMP.',
  },
  producer_clock_behind: {
    level: 'warn',
    todo: 'Set the camera’s clock (NTP): pictures are dated earlier than they are, in DVR and archive too. Or use fragmentSelectorType: SERVER_TIMESTAMP.',
  },
  producer_clock_ahead: {
    level: 'warn',
    todo: 'Set the camera’s clock (NTP): pictures are dated later than they are. Or use fragmentSelectorType: SERVER_TIMESTAMP.',
  },
  producer_clock_drifts: {
    level: 'warn',
    todo: 'The camera’s clock runs at another pace: have it disciplined by NTP, with slewing; or use fragmentSelectorType: SERVER_TIMESTAMP.',
  },
  producer_clock_jumps: {
    level: 'warn',
    todo: 'The camera’s clock is set while it sends: have NTP slew it, and set it before the producer starts. Each jump is a discontinuity.',
  },
  uplink_slow: {
    level: 'warn',
    todo: 'The camera’s network takes less than it sends: lower its bitrate, or give it more uplink. What it cannot send in time is dropped.',
  },
  two_producers: {
    level: 'warn',
    todo: 'Two producers send to this stream by turns: stop one of them; each needs a stream of its own.',
  },
  overlaps: {
    level: 'warn',
    todo: 'Fragments begin before the one before has ended: see the producer’s time stamps (B-frames need decode times that grow; ack 4004).',
  },
  gaps: {
    level: 'warn',
    todo: 'Time is missing between fragments: look for dropped frames at the camera, its network, and error acks in the producer’s log (4002 duration, 4004 times, 4011 a track without frames).',
  },
  reconnects: {
    level: 'warn',
    todo: 'The producer connects anew again and again (once in 40 to 45 minutes is normal): see its log and its network.',
  },
  silent_track: {
    level: 'warn',
    todo: 'A declared track has no frames: KVS refuses such fragments (ack 4011). Have the producer send frames of each track in each fragment, or not declare it.',
  },
  track_change: {
    level: 'warn',
    todo: 'The producer changes its tracks or their codec in mid-stream: sessions break on that. Have it keep one set of tracks.',
  },
  codec_changes: {
    level: 'warn',
    todo: 'The encoder’s parameters change again and again: a KVS session ends after 500 changes. See why it restarts.',
  },
  audio_apart: {
    level: 'warn',
    todo: 'Sound and picture do not begin together: have the producer send both from the same clock.',
  },
  no_recent_fragment: {
    level: 'fail',
    todo: 'KVS opens no live session without a whole fragment of the last 30 s: make fragments shorter, and see why some are missing.',
  },
  session_refused: {
    level: 'fail',
    todo: 'KVS opens no session, for a reason that is not known here: run with --trace FILE, and show what it says to somebody who knows.',
  },
  playlist_unreadable: {
    level: 'fail',
    todo: 'The session’s playlists cannot be read: run with --trace FILE, and show it to whoever maintains this program.',
  },
  fragment_unreadable: {
    level: 'fail',
    todo: 'A listed fragment cannot be fetched or read: run with --trace FILE, and show it to whoever maintains this program.',
  },
  playlist_stuck: {
    level: 'warn',
    todo: 'The live list did not grow while it was watched: see the age of the newest fragment, and run this once more.',
  },
  quota_near: {
    level: 'warn',
    todo: 'One gateway alone would use much of this stream’s quota: make fragments longer, or lower fragmentResults.',
  },
  origin_unreachable: {
    level: 'fail',
    todo: 'See that this machine, or its proxy, reaches the origin of hls.url.',
  },
  origin_refuses: {
    level: 'fail',
    todo: 'The origin refuses: check hls.url and hls.headers.',
  },
  origin_list_unreadable: {
    level: 'fail',
    todo: 'What the origin answers is no HLS playlist that can be followed: check hls.url.',
  },
  unfinished: {
    level: 'warn',
    todo: 'Time ran out before all had been looked at: see what was slow, or check fewer streams at a time.',
  },
} as const satisfies Readonly<Record<string, Cause>>

export type CauseCode = keyof typeof CAUSES
