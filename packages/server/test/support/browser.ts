import { existsSync } from 'node:fs'
import path from 'node:path'
import { type Browser, chromium } from 'playwright-core'

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

const isRequired = process.env.VOX_TEST_REQUIRE?.split(',').includes('chromium') ?? false

/** Why tests in a browser are left out: the option `skip` of a test. */
export const withoutBrowser =
  installed || isRequired ? false : 'Chromium is not installed; VOX_TEST_REQUIRE=chromium makes that an error'

/** Starts Chromium without a window and with an empty profile; `await using` ends it. */
export function startBrowser(): Promise<Browser> {
  if (!installed) throw new Error('VOX_TEST_REQUIRE asks for chromium, but it is not installed.')
  return chromium.launch({ executablePath: installed, args: FLAGS })
}
