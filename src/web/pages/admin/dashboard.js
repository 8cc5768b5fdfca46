// Replaces the figures every two seconds. A failed refresh leaves the old ones, dimmed, and tries again.
const EVERY_MS = 2000

async function refresh() {
  const response = await fetch(location.href, { signal: AbortSignal.timeout(5000) })
  if (!response.ok) throw new Error(`HTTP ${response.status}`)
  const page = new DOMParser().parseFromString(await response.text(), 'text/html')
  document.querySelector('main')?.replaceChildren(...(page.querySelector('main')?.children ?? []))
}

async function loop() {
  try {
    if (!document.hidden) await refresh()
    document.body.classList.remove('lost')
  } catch {
    document.body.classList.add('lost')
  }
  setTimeout(loop, EVERY_MS)
}

setTimeout(loop, EVERY_MS)
