import type { StreamStatus } from '../streams/status.ts'

/** The dashboard as HTML: what every stream does, for a person who wants to know now. */
export function dashboardPage(streams: readonly StreamStatus[], nowMs: number): string {
  const rows = streams.map((status) => row(status, nowMs)).join('')
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>kvs-hls-gateway</title>
<link rel="stylesheet" href="dashboard.css">
<script type="module" src="dashboard.js"></script>
</head>
<body>
<header><h1>kvs-hls-gateway</h1><nav><a href="metrics">metrics</a> <a href="api/v1/openapi.json">API</a></nav></header>
<main>
${summary(streams)}
<table>
<thead><tr>${HEADINGS.map((heading) => `<th scope="col">${heading}</th>`).join('')}</tr></thead>
<tbody>${rows}</tbody>
</table>
</main>
</body>
</html>
`
}

const HEADINGS = [
  'Stream',
  'State',
  'Viewers',
  'Last fragment',
  'Session ends in',
  'Roll-overs',
  'From KVS',
  'To players',
  'Saved',
]

function summary(streams: readonly StreamStatus[]): string {
  const live = streams.filter(({ state }) => state === 'live').length
  const viewers = streams.reduce((sum, status) => sum + status.viewers, 0)
  return `<p>${live} of ${streams.length} streams live, ${viewers} viewers.</p>`
}

function row(status: StreamStatus, nowMs: number): string {
  const { name, state, reason, session, lastFragment } = status
  const cells = [
    `<span class="state ${state}">${state}</span>${reason === null ? '' : ` <small>${escapeHtml(reason)}</small>`}`,
    String(status.viewers),
    lastFragment === null ? '–' : `${span(nowMs - Date.parse(lastFragment.receivedAt))} ago`,
    session === null ? '–' : span(Date.parse(session.expiresAt) - nowMs),
    session === null ? '–' : String(session.rollovers),
    bytes(status.upstream.bytes),
    bytes(status.downstream.bytes),
    `$${status.savedUsd.toFixed(2)}`,
  ]
  const data = cells.map((cell) => `<td>${cell}</td>`).join('')
  return `<tr><th scope="row">${escapeHtml(name)}</th>${data}</tr>`
}

function span(ms: number): string {
  const s = Math.max(0, Math.round(ms / 1000))
  if (s < 120) return `${s} s`
  return s < 7200 ? `${Math.round(s / 60)} min` : `${(s / 3600).toFixed(1)} h`
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
