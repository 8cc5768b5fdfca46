import type { CameraConfig } from '../config.ts'

/**
 * Writes a number as KVS prints it: Java's Double.toString of at most `digits` decimals, so 5 is `5.0` and 2.680 is
 * `2.68`. The plain format drops the `.0`.
 */
export function decimal(
  value: number,
  digits: number,
  format: CameraConfig['numberFormat'],
): string {
  const text = String(Number(value.toFixed(digits)))
  return text.includes('.') || format === 'plain' ? text : `${text}.0`
}
