/**
 * Reads Retry-After, in milliseconds from now. A date counts from the answer's own, because our clock may be another.
 * RFC 9110, 10.2.3.
 */
export function readRetryAfter(
  field: string | undefined,
  answerDate: string | undefined,
): number | undefined {
  const text = field?.trim() ?? ''
  if (/^\d{1,6}$/.test(text)) return Number(text) * 1000
  const waitMs = Date.parse(text) - Date.parse(answerDate ?? '')
  return Number.isNaN(waitMs) ? undefined : Math.max(0, waitMs)
}
