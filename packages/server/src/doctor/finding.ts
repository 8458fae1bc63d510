/** How a check ended; `skipped` is one that could not be made. */
export type Level = 'ok' | 'warning' | 'error' | 'skipped'

export interface Finding {
  level: Level
  /** What was found. */
  text: string
  /** What to do about it. */
  cure?: string
}

export const ok = (text: string): Finding => ({ level: 'ok', text })
export const warning = (text: string, cure: string): Finding => ({ level: 'warning', text, cure })
export const error = (text: string, cure: string): Finding => ({ level: 'error', text, cure })
export const skipped = (text: string): Finding => ({ level: 'skipped', text })
