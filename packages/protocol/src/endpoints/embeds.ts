import { EmbedObject } from '../embeds.ts'
import { endpoint } from '../endpoint.ts'
import { Fields, Text } from '../schema.ts'

/** What a page says of itself, for a preview; all null if it cannot be read (spec 04, section 8.2). */
export const resolveEmbed = endpoint({
  method: 'POST',
  path: '/embeds/resolve',
  summary: 'Preview of a link',
  auth: 'session',
  body: Fields({ url: Text({ max: 2048 }) }),
  reply: { 200: EmbedObject },
  errors: ['INVALID_URL'],
})
