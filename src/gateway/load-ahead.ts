/** Loads what is otherwise loaded when it is first needed. */
export async function loadAhead(): Promise<void> {
  await import('../gateway.ts')
  await import('../http/metrics.ts')
  await import('../http/routes/keys.ts')
  await import('../upstream/kvs/sdk-kvs-api.ts')
  await import('undici')
}
