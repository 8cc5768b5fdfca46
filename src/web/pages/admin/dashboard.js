// @ts-check

/** Replaces the figures every two seconds. Without an answer the old ones stay, dimmed, and say how old they are. */
const EVERY_MS = 2000
const DEADLINE_MS = 5000

let answeredAt = new Date()

async function refresh() {
  const response = await fetch(location.href, { signal: AbortSignal.timeout(DEADLINE_MS) })
  if (!response.ok) throw new Error(`HTTP ${response.status}`)
  const page = new DOMParser().parseFromString(await response.text(), 'text/html')
  document.querySelector('main')?.replaceChildren(...(page.querySelector('main')?.children ?? []))
  answeredAt = new Date()
}

/** @param {boolean} lost */
function showContact(lost) {
  document.body.classList.toggle('lost', lost)
  const banner = document.getElementById('lost')
  if (banner === null) return
  banner.hidden = !lost
  const time = answeredAt.toLocaleTimeString('en-GB')
  banner.textContent = lost ? `No contact with the gateway since ${time}. Trying again.` : ''
}

async function loop() {
  try {
    if (!document.hidden) await refresh()
    showContact(false)
  } catch {
    showContact(true)
  }
  setTimeout(loop, EVERY_MS)
}

setTimeout(loop, EVERY_MS)
