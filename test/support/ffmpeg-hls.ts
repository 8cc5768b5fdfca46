import { execFile } from 'node:child_process'
import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const VIDEO = '-f lavfi -i testsrc2=s=160x90:r=25'
/** Large enough that a picture fills many packets of a transport stream. */
const TS_VIDEO = VIDEO.replace('160x90', '320x180')
const AUDIO = '-f lavfi -i sine=440:r=48000'
const AVC = '-c:v libx264 -preset ultrafast -bf 2 -g 50 -keyint_min 50 -sc_threshold 0'
const HEVC =
  '-c:v libx265 -preset ultrafast -tag:v hvc1 -x265-params log-level=error:keyint=50:min-keyint=50:scenecut=0'
const AAC = '-c:a aac -b:a 64k'
const HLS = '-f hls -hls_time 2 -hls_list_size 0'
const FMP4 = `${HLS} -hls_segment_type fmp4`
/** A tilde stands for a space within an argument. */
const APART = '-var_stream_map v:0,agroup:sound~a:0,agroup:sound,default:yes'

/** What origins out there send, as ffmpeg makes it: the arguments before the output's name. */
export const FOREIGN = {
  'fMP4, sound apart': `${VIDEO} ${AUDIO} ${AVC} ${AAC} -map 0:v -map 1:a ${FMP4} -master_pl_name master.m3u8 ${APART}`,
  'fMP4, picture alone': `${VIDEO} ${AVC} ${FMP4}`,
  'fMP4, picture and sound together': `${VIDEO} ${AUDIO} ${AVC} ${AAC} ${FMP4}`,
  'fMP4 in one file': `${VIDEO} ${AVC} ${FMP4} -hls_flags single_file`,
  'fMP4, H.265': `${VIDEO} ${HEVC} ${FMP4}`,
  'fMP4, sound alone': `${AUDIO} ${AAC} ${FMP4}`,
  'fMP4, open groups': `${VIDEO} ${AVC} -x264-params open-gop=1 ${FMP4}`,
  'fMP4, intra refresh': `${VIDEO} ${AVC} -bf 0 -x264-params intra-refresh=1 ${FMP4}`,
  'fMP4, segments cut by time': `${VIDEO} ${AVC} -g 75 ${FMP4} -hls_flags split_by_time`,
  'fMP4, pictures at uneven steps': `${VIDEO} -vf select='not(mod(n\\,10))+gt(random(0)\\,0.6)' -fps_mode vfr ${AVC} ${FMP4}`,
  'fMP4, one picture a second': `${VIDEO.replace('25', '1')} ${AVC} -g 2 -keyint_min 2 ${FMP4}`,
  'MPEG-TS': `${TS_VIDEO} ${AUDIO} ${AVC} ${AAC} ${HLS}`,
  'MPEG-TS in one file': `${VIDEO} ${AUDIO} ${AVC} ${AAC} ${HLS} -hls_flags single_file`,
  'MPEG-TS, H.265': `${VIDEO} ${AUDIO} ${HEVC} ${AAC} ${HLS}`,
  'MPEG-TS, sound alone': `${AUDIO} ${AAC} ${HLS}`,
} as const

export type ForeignMedia = keyof typeof FOREIGN

/**
 * A folder with `master.m3u8` and what it leads to: 40 s in segments of two.
 * @param more further options of the output
 */
export async function makeHls(media: ForeignMedia, more: readonly string[] = []): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'kvs-foreign-'))
  const args = FOREIGN[media].split(' ').map((arg) => arg.replaceAll('~', ' '))
  const output = media === 'fMP4, sound apart' ? 'list_%v.m3u8' : 'master.m3u8'
  const all = ['-v', 'error', ...args, '-t', '40', ...more, output]
  await promisify(execFile)('ffmpeg', all, { cwd: dir })
  return dir
}

/** The key of {@link makeEncryptedHls}. */
export const KEY = Buffer.from('sixteen bytes ok')

/** The same, encrypted with AES-128; its lists name the key `secret.key`. */
export async function makeEncryptedHls(media: ForeignMedia): Promise<string> {
  const keys = await mkdtemp(join(tmpdir(), 'kvs-keys-'))
  const [keyFile, infoFile] = [join(keys, 'secret.key'), join(keys, 'info')]
  await writeFile(keyFile, KEY)
  await writeFile(infoFile, `secret.key?token=hunter4\n${keyFile}\n`)
  const dir = await makeHls(media, ['-hls_key_info_file', infoFile])
  await writeFile(join(dir, 'secret.key'), KEY)
  return dir
}
