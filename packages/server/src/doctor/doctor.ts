import { ConfigError } from '../config/config.ts'
import type { Env } from '../config/environment.ts'
import type { Check } from './check.ts'
import { backupsAreFresh, diskHasSpace, engineFits, migrationsAreApplied, storageWorks } from './data-checks.ts'
import { type Deployment, inspect } from './deployment.ts'
import { error, type Finding } from './finding.ts'
import { federationFits, passkeysFit } from './identity-checks.ts'
import type { Machine } from './machine.ts'
import { clockIsRight, filesSuffice, isRestarted, logIsForMachines, processIsAlone } from './machine-checks.ts'
import {
  addressesAreKnown,
  certificateIsValid,
  gatewayAnswers,
  gatewayIsPublic,
  uploadsPass,
} from './network-checks.ts'
import { sameSettings, serverRuns, variables } from './settings-checks.ts'

/** Everything that is looked at, in the order of the report. */
export const CHECKS: readonly Check[] = [
  variables,
  serverRuns,
  sameSettings,
  processIsAlone,
  gatewayIsPublic,
  gatewayAnswers,
  certificateIsValid,
  addressesAreKnown,
  uploadsPass,
  engineFits,
  migrationsAreApplied,
  storageWorks,
  diskHasSpace,
  backupsAreFresh,
  passkeysFit,
  federationFits,
  logIsForMachines,
  isRestarted,
  filesSuffice,
  clockIsRight,
]

/** What a check found. */
export type Reported = Finding & { check: string }

/** Examines a deployment. With an environment that cannot be used, that is all there is to say. */
export async function examine(
  env: Env,
  options: { backups?: string | undefined; machine?: Machine } = {},
): Promise<Reported[]> {
  try {
    const deployment = await inspect(env, options)
    return await Promise.all(CHECKS.map((check) => report(check, deployment)))
  } catch (failure) {
    if (!(failure instanceof ConfigError)) throw failure
    return failure.problems.map((problem) => ({
      check: variables.name,
      ...error(problem, 'Correct it: docs/configuration.md.'),
    }))
  }
}

async function report({ name, run }: Check, deployment: Deployment): Promise<Reported> {
  try {
    return { check: name, ...(await run(deployment)) }
  } catch (failure) {
    return { check: name, ...error(`This could not be checked: ${(failure as Error).message}`, 'See the message.') }
  }
}
