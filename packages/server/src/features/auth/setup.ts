import { ApiError, type Static } from '@vox/protocol'
import type { confirmSecondFactor, setUpSecondFactor } from '@vox/protocol/endpoints'
import type { Work } from '../../events/work.ts'
import type { Caller } from '../../http/authenticate.ts'
import type { Services } from '../../services.ts'
import { createChallenge, relyingParty, spendSetupChallenge } from './challenges.ts'
import { factorsOf } from './factors.ts'
import { addPasskey, creationOptions, demandRoomForPasskey } from './passkeys.ts'
import { newRecoveryCodes, type RecoveryCodeSet, replaceRecoveryCodes } from './recovery-codes.ts'
import { findTicket, issueTicket, setupKind, type Ticket, useTicket, voidTickets } from './tickets.ts'
import { enableTotp, matchingSteps, preparedTotp, prepareTotp, provisioningUri } from './totp.ts'
import { verifyAttestation } from './webauthn.ts'

type SetupBegun = Static<(typeof setUpSecondFactor)['reply']>
type Confirmation = Static<NonNullable<(typeof confirmSecondFactor)['body']>>

const NOTHING_PREPARED = { totp_secret: null, totp_uri: null, creation_options: null }

/** Begins a set-up (spec 02, section 6.3). Nothing changes for the account's logins before it is confirmed. */
export async function setUp(services: Services, { userId }: Caller, method: string): Promise<SetupBegun> {
  if (method !== 'totp' && method !== 'webauthn') throw new ApiError('INVALID_METHOD')
  if (!services.community.accounts.isLocalPerson(userId))
    throw new ApiError('FORBIDDEN', { message: 'Guests and bots have no second factor here.' })
  return method === 'totp' ? setUpTotp(services, userId) : setUpPasskey(services, userId)
}

function setUpTotp({ work, clock }: Services, userId: number): Promise<SetupBegun> {
  return work.run(async (job) => {
    if ((await factorsOf(job.db, userId)).totp) throw new ApiError('2FA_ALREADY_ENABLED')
    await voidTickets(job, userId, ['setup_totp'])
    const { id, text } = await issueTicket(job, 'setup_totp', userId, clock.now())
    const secret = await prepareTotp(job, userId, id)
    const { username } = await owner(job, userId)
    return {
      ...NOTHING_PREPARED,
      setup_id: text,
      method: 'totp',
      totp_secret: secret,
      totp_uri: provisioningUri(username, secret),
    }
  })
}

async function setUpPasskey({ config, work, clock }: Services, userId: number): Promise<SetupBegun> {
  const party = relyingParty(config)
  if (!party) throw new ApiError('WEBAUTHN_NOT_CONFIGURED')
  return work.run(async (job) => {
    await demandRoomForPasskey(job.db, userId)
    const { id, text } = await issueTicket(job, 'setup_webauthn', userId, clock.now())
    const challenge = await createChallenge(job, { userId, relyingParty: party, setupId: id }, clock.now())
    const options = await creationOptions(job.db, await owner(job, userId), party, challenge)
    return { ...NOTHING_PREPARED, setup_id: text, method: 'webauthn', creation_options: options }
  })
}

function owner({ db }: Work, userId: number) {
  return db
    .selectFrom('users')
    .select(['user_id', 'username', 'display_name'])
    .where('user_id', '=', userId)
    .executeTakeFirstOrThrow()
}

/** Ends a set-up with the proof that the new factor works (spec 02, section 6.3). */
export async function confirmSetup(
  services: Services,
  { userId }: Caller,
  input: Confirmation,
): Promise<Static<(typeof confirmSecondFactor)['reply']>> {
  const { db, work, clock } = services
  const kind = setupKind(input.setup_id)
  if (!kind) throw new ApiError('2FA_SETUP_EXPIRED', { status: 400 })
  const ticket = await findTicket(db.read, kind, input.setup_id, clock.now())
  if (!ticket) throw new ApiError('2FA_SETUP_EXPIRED')
  if (ticket.userId !== userId) throw new ApiError('FORBIDDEN', { message: 'This set-up is not yours.' })
  const enable = await (kind === 'setup_totp' ? proveTotp : provePasskey)(services, ticket, input)
  const codes = await recoveryCodesFor(services, userId)
  return work.run(async (job) => {
    if (!(await findTicket(job.db, kind, input.setup_id, clock.now()))) throw new ApiError('2FA_SETUP_EXPIRED')
    await enable(job)
    await useTicket(job, ticket.id)
    return { success: true, recovery_codes: await storeRecoveryCodes(job, userId, codes) }
  })
}

/** Enables, in a job, the factor that has been proven to work. */
type Enable = (job: Work) => Promise<void>

async function proveTotp({ db, clock }: Services, { id }: Ticket, { setup_id, code }: Confirmation): Promise<Enable> {
  if (!code)
    throw new ApiError('2FA_INVALID_CODE', { status: 400, message: 'A code of the authenticator app is needed.' })
  const secret = await preparedTotp(db.read, id)
  // Another request may have confirmed it since the ticket was found.
  if (secret === undefined && !(await findTicket(db.read, 'setup_totp', setup_id, clock.now())))
    throw new ApiError('2FA_SETUP_EXPIRED')
  if (secret === undefined) throw nothingPending()
  if (matchingSteps(secret, code, clock.now()).length === 0) throw new ApiError('2FA_INVALID_CODE')
  return async (job) => {
    if (!(await enableTotp(job, id))) throw nothingPending()
  }
}

const nothingPending = (): ApiError => new ApiError('2FA_SETUP_EXPIRED', { status: 400 })

async function provePasskey(
  services: Services,
  { id, userId }: Ticket,
  { attestation, credential_name: name }: Confirmation,
): Promise<Enable> {
  if (!attestation) throw new ApiError('WEBAUTHN_FAILED', { status: 400, message: 'The attestation is missing.' })
  const challenge = await spendSetupChallenge(services, id, attestation.challenge_id)
  const credential = await verifyAttestation(challenge, attestation)
  return async (job) => {
    await demandRoomForPasskey(job.db, userId)
    await addPasskey(job, userId, credential, { name, now: services.clock.now() })
  }
}

/** A new set if the user has no unused code; an empty one otherwise. */
async function recoveryCodesFor({ db, passwords }: Services, userId: number): Promise<RecoveryCodeSet> {
  const { recoveryCodes } = await factorsOf(db.read, userId)
  return recoveryCodes > 0 ? [] : newRecoveryCodes(passwords)
}

/** Stores the set unless another set-up was quicker; the codes that are now the user's to keep. */
async function storeRecoveryCodes(job: Work, userId: number, codes: RecoveryCodeSet): Promise<string[]> {
  const { recoveryCodes } = await factorsOf(job.db, userId)
  if (codes.length === 0 || recoveryCodes > 0) return []
  await replaceRecoveryCodes(job, userId, codes)
  return codes.map(({ code }) => code)
}
