import type { Deployment } from './deployment.ts'
import type { Finding } from './finding.ts'

/** One thing that can be wrong with a deployment. */
export interface Check {
  name: string
  run(deployment: Deployment): Promise<Finding> | Finding
}

export const check = (name: string, run: Check['run']): Check => ({ name, run })
