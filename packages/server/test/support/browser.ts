import { existsSync } from 'node:fs'
import path from 'node:path'
import { type Browser, chromium } from 'playwright-core'
import { leftOut } from './requirements.ts'

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** The system's Chromium, if there is one. */
const installed = (process.env.PATH ?? '')
  .split(path.delimiter)
  .flatMap((folder) => ['chromium', 'chromium-browser', 'google-chrome'].map((name) => path.join(folder, name)))
  .find(existsSync)

/** Why tests in a browser are left out: the option `skip` of a test. */
export const withoutBrowser = leftOut('chromium', !installed, 'Chromium is not installed')

/** Starts Chromium without a window and with an empty profile; `await using` ends it. */
export function startBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: installed ?? '', args: FLAGS })
}
