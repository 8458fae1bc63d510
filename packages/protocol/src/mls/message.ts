import { MlsReader, MlsRefusal } from './encoding.ts'

/** What an MLS message to a group says in clear: to which group, for which epoch, and of which kind it is. */
export interface GroupMessage {
  groupId: Uint8Array
  epoch: bigint
  content: 'application' | 'proposal' | 'commit'
}

const VERSION = 1
const PUBLIC_MESSAGE = 1
const PRIVATE_MESSAGE = 2

/** Head of an MLSMessage that holds a Welcome. */
const WELCOME_HEAD = [0, 1, 0, 3]

/** Bytes of a key package reference: a SHA-256. */
const REFERENCE_BYTES = 32

const CONTENTS = new Map<number, GroupMessage['content']>([
  [1, 'application'],
  [2, 'proposal'],
  [3, 'commit'],
])

/**
 * Reads the front of a message to a group (spec 05, section 13.1); what follows its kind is not looked at.
 *
 * @throws MlsRefusal if it is none.
 */
export function readGroupMessage(bytes: Uint8Array): GroupMessage {
  const reader = new MlsReader(bytes)
  if (reader.u16() !== VERSION) throw new MlsRefusal('the version is not 1')
  const format = reader.u16()
  if (format !== PUBLIC_MESSAGE && format !== PRIVATE_MESSAGE) throw new MlsRefusal('it is no message to a group')
  const groupId = reader.vector()
  const epoch = reader.u64()
  if (format === PUBLIC_MESSAGE) skipSender(reader)
  const content = CONTENTS.get(reader.u8())
  if (!content) throw new MlsRefusal('the content is of no known type')
  return { groupId, epoch, content }
}

/** Sender and `authenticated_data` of a PublicMessage. Members and external senders are named by an index. */
function skipSender(reader: MlsReader): void {
  const type = reader.u8()
  if (type < 1 || type > 4) throw new MlsRefusal('the sender is of no known type')
  if (type <= 2) reader.u32()
  reader.vector()
}

/**
 * References of the key packages that a Welcome is for, with or without the head of an MLSMessage (spec 05,
 * section 13.1).
 *
 * @throws MlsRefusal if it is no Welcome.
 */
export function readWelcome(bytes: Uint8Array): Uint8Array[] {
  const reader = new MlsReader(bytes)
  reader.skip(WELCOME_HEAD)
  reader.u16() // cipher suite
  const references = reader.list((secret) => {
    const newMember = secret.vector()
    secret.vector() // KEM output
    secret.vector() // ciphertext
    return newMember
  })
  return references.filter(({ length }) => length === REFERENCE_BYTES)
}
