import { writeFile } from 'node:fs/promises'
import { systemClock } from '../base/clock.ts'
import {
  type Args,
  type Command,
  EXIT,
  type ExitCode,
  type Terminal,
  UsageError,
} from './command.ts'
import { openSource } from './source.ts'

export const doctorCommand: Command = {
  name: 'doctor',
  summary:
    'Looks at your streams, within a minute and without changing anything, and says what is wrong and what to do.',
  operands: [],
  options: {
    config: { value: 'FILE', doc: 'the configuration: all its streams are looked at' },
    stream: { value: 'NAME', doc: 'instead of a file: one KVS stream' },
    region: { value: 'REGION', doc: 'AWS region of --stream; else the SDK’s own chain' },
    json: { doc: 'one JSON document instead of lines' },
    trace: {
      value: 'FILE',
      doc: 'writes what was seen, without names, hosts, accounts, tokens and media',
    },
  },
  run: examineAndTell,
}

async function examineAndTell(args: Args, terminal: Terminal): Promise<ExitCode> {
  const { config: file, stream, trace, json } = args.options
  if (file === undefined && stream === undefined) {
    throw new UsageError('doctor needs --config FILE or --stream NAME')
  }
  const source = await openSource(args, terminal.env, () => {
    throw new TypeError('there is something to look at')
  })
  const [{ examine }, { reportLines, reportOf }] = await Promise.all([
    import('../doctor/doctor.ts'),
    import('../doctor/report.ts'),
  ])
  const examination = await examine(source.config, {
    clock: systemClock,
    random: Math.random,
    env: terminal.env,
  })
  const report = reportOf(examination)
  const lines =
    json === undefined
      ? [...reportLines(examination, terminal), ...nextLines(args, report.result)]
      : [JSON.stringify(report, null, 2)]
  for (const line of lines) terminal.out(line)
  if (trace !== undefined) await saveTrace(trace, examination)
  return report.result === 'fail' ? EXIT.fault : EXIT.ok
}

/** Says how to go on, where nothing stands in the way. */
function nextLines({ options }: Args, result: 'ok' | 'warn' | 'fail'): readonly string[] {
  if (result === 'fail') return []
  const { config, stream = '', region } = options
  const what = config === undefined ? `--stream ${stream}` : `--config ${config}`
  const where = region === undefined ? '' : ` --region ${region}`
  return [`next: kvs-hls-gateway ${what}${where}`]
}

type Examination = Awaited<ReturnType<typeof import('../doctor/doctor.ts')['examine']>>

async function saveTrace(file: string, { streams }: Examination): Promise<void> {
  const { writeTrace } = await import('../trace/trace-file.ts')
  const seen = streams.flatMap(({ observations }) => observations ?? [])
  await writeFile(file, writeTrace(seen))
}
