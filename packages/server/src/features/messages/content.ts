import { ApiError, codePoints, type Limits } from '@vox/protocol'

/** Whether text says nothing: missing, empty, or only white space (spec 04, section 1.2). */
export function isBlank(text: string | null | undefined): boolean {
  return text === null || text === undefined || /^\p{White_Space}*$/u.test(text)
}

/** Whether a message has neither text nor ciphertext nor files. */
export function saysNothing({ body, opaque_blob, attachments = [] }: Content): boolean {
  return isBlank(body) && !opaque_blob && attachments.length === 0
}

interface Content {
  body?: string
  opaque_blob?: string
  attachments?: readonly unknown[]
}

/** Refuses a body over `message_body_max`; editing answers this case by validation instead. */
export function checkBodyLength(body: string | undefined, limits: Limits): void {
  const max = limits.message_body_max
  if (body !== undefined && body.length > max && codePoints(body) > max)
    throw new ApiError('MESSAGE_TOO_LARGE', { message: `The message may have at most ${max} characters.` })
}

/** Refuses ciphertext over its bound (spec 04, section 1.9). */
export function checkBlobLength(blob: string | undefined, limits: Limits): void {
  const max = 4 * limits.relay_payload_max
  if (blob !== undefined && blob.length > max)
    throw new ApiError('PAYLOAD_TOO_LARGE', { message: `opaque_blob may have at most ${max} characters.` })
}
