import type { StreamStatus } from '../streams/status.ts'

/** Renders the dashboard: what every stream does, for a person who wants to know now. */
export function dashboardPage(streams: readonly StreamStatus[], nowMs: number): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>kvs-hls-gateway</title>
<link rel="icon" href="icon.svg">
<link rel="stylesheet" href="theme.css">
<link rel="stylesheet" href="dashboard.css">
<script type="module" src="dashboard.js"></script>
</head>
<body>
<header><h1>kvs-hls-gateway</h1><nav><a href="metrics">Metrics</a><a href="api/v1/openapi.json">API</a></nav></header>
<p id="lost" role="status" hidden></p>
<main>
<dl>${summary(streams).map(figure).join('')}</dl>
${streams.length === 0 ? '<p class="none">No stream is configured yet.</p>' : table(streams, nowMs)}
</main>
</body>
</html>
`
}

type Labelled = readonly [label: string, value: string]

function summary(streams: readonly StreamStatus[]): readonly Labelled[] {
  const total = (of: (status: StreamStatus) => number): number =>
    streams.reduce((sum, status) => sum + of(status), 0)
  return [
    ['Live', `${total(({ state }) => (state === 'live' ? 1 : 0))} of ${streams.length}`],
    ['Viewers', String(total(({ viewers }) => viewers))],
    ['From upstream', bytes(total(({ upstream }) => upstream.bytes))],
    ['To players', bytes(total(({ downstream }) => downstream.bytes))],
    ['Spent', usd(total(({ spentUsd }) => spentUsd))],
    ['Saved', usd(total(({ savedUsd }) => savedUsd))],
  ]
}

function figure([label, value]: Labelled): string {
  return `<div><dt>${label}</dt><dd>${value}</dd></div>`
}

function table(streams: readonly StreamStatus[], nowMs: number): string {
  const [first] = streams
  const labels = first === undefined ? [] : figuresOf(first, nowMs).map(([label]) => label)
  const headings = ['Stream', 'State', ...labels].map((label) => `<th scope="col">${label}</th>`)
  const rows = streams.map((status) => row(status, nowMs))
  return `<table>
<thead><tr>${headings.join('')}</tr></thead>
<tbody>${rows.join('')}</tbody>
</table>`
}

function row(status: StreamStatus, nowMs: number): string {
  const { name, state, reason } = status
  const notes = [...(reason === null ? [] : [reason]), ...sourceNotes(status)]
  const why = notes.map((note) => `<small>${escapeHtml(note)}</small>`).join('')
  // On a phone a row becomes a card, on which each figure needs its label.
  const figures = figuresOf(status, nowMs).map(
    ([label, value]) => `<td data-label="${label}">${value}</td>`,
  )
  return `<tr class="${state}"><th scope="row">${escapeHtml(name)}</th><td class="state"><span>${state}</span>${why}</td>${figures.join('')}</tr>`
}

/** Notes only what is out of the ordinary, and where there are several nodes whose the stream is. */
function sourceNotes({ source, forced, owner }: StreamStatus): readonly string[] {
  const from = forced !== null ? [`${forced}, by order`] : source === 'backup' ? ['backup'] : []
  return owner === null ? from : [...from, `owned by ${owner}`]
}

function figuresOf(status: StreamStatus, nowMs: number): readonly Labelled[] {
  const { session, lastFragment, viewers, upstream, downstream, spentUsd, savedUsd } = status
  const since = (iso: string): string => `${span(nowMs - Date.parse(iso))} ago`
  return [
    ['Viewers', String(viewers)],
    ['Last fragment', lastFragment === null ? '–' : since(lastFragment.receivedAt)],
    [
      'Session ends in',
      session?.expiresAt == null ? '–' : span(Date.parse(session.expiresAt) - nowMs),
    ],
    ['Roll-overs', session === null ? '–' : String(session.rollovers)],
    ['From upstream', bytes(upstream.bytes)],
    ['To players', bytes(downstream.bytes)],
    ['Spent', usd(spentUsd)],
    ['Saved', usd(savedUsd)],
  ]
}

function span(ms: number): string {
  const s = Math.max(0, Math.round(ms / 1000))
  if (s < 120) return `${s} s`
  return s < 7200 ? `${Math.round(s / 60)} min` : `${(s / 3600).toFixed(1)} h`
}

function usd(amount: number): string {
  return `$${amount.toFixed(2)}`
}

function bytes(count: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  const power = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(1, count)) / 10))
  return `${(count / 1024 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power]}`
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
}

function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"]/g, (char) => ENTITIES[char] ?? char)
}
