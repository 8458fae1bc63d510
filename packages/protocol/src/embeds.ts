import { parseJson, stringifyJson } from './json.ts'
import { accepting, Fields, Flag, Integer, List, Maybe, Nullable, refine, type Static, Text } from './schema.ts'

/** Most that all embeds of a message may take as compact JSON, bytes (spec 04, section 1.9). */
const MAX_EMBEDS_BYTES = 65_536

const MAX_EMBEDS = 10

/** Most characters in a text of an embed (spec 04, section 1.9). */
export const EMBED_TEXT_MAX = { title: 256, description: 4096, site_name: 256, type: 256, locale: 256, url: 2048 }

/** Most pixels in a width or height. */
export const EMBED_PIXELS_MAX = 2 ** 31 - 1

const EmbedField = Fields({ name: Text(), value: Text(), inline: Flag })

/** A picture that shows what a message is about: sixteen keys, null where nothing is known (spec 04, section 1.3). */
export const EmbedObject = Fields({
  title: Nullable(Text()),
  description: Nullable(Text()),
  site_name: Nullable(Text()),
  type: Nullable(Text()),
  locale: Nullable(Text()),
  url: Nullable(Text()),
  image: Nullable(Text()),
  video: Nullable(Text()),
  audio: Nullable(Text()),
  thumbnail: Nullable(Text()),
  image_width: Nullable(Integer()),
  image_height: Nullable(Integer()),
  video_width: Nullable(Integer()),
  video_height: Nullable(Integer()),
  color: Nullable(Integer()),
  fields: Nullable(List(EmbedField)),
})
/** An embed with all its keys. */
export type EmbedObject = Static<typeof EmbedObject>

const Words = (key: keyof typeof EMBED_TEXT_MAX) => Maybe(Nullable(Text({ max: EMBED_TEXT_MAX[key] })))
const Pixels = Maybe(Nullable(Integer(0, EMBED_PIXELS_MAX)))

/** A link that clients may follow or load; any other, `javascript:` for example, becomes null. */
const Link = Maybe(
  accepting(Nullable(Text({ max: EMBED_TEXT_MAX.url })), (raw) =>
    typeof raw === 'string' && !isLink(raw) ? null : raw,
  ),
)

const isLink = (text: string): boolean =>
  text.startsWith('/api/v1/files/') || (/^https?:\/\//i.test(text) && URL.canParse(text))

/** A line of its own unless it says `inline`. */
const GivenField = accepting(
  Fields({ name: Text({ max: 256 }), value: Text({ max: 1024 }), inline: Maybe(Flag) }),
  (raw) =>
    typeof raw === 'object' && raw !== null ? { ...raw, inline: (raw as { inline?: unknown }).inline ?? false } : raw,
)

/** An embed as somebody gives it: every key may be left out. */
export const Embed = Fields({
  title: Words('title'),
  description: Words('description'),
  site_name: Words('site_name'),
  type: Words('type'),
  locale: Words('locale'),
  url: Link,
  image: Link,
  video: Link,
  audio: Link,
  thumbnail: Link,
  image_width: Pixels,
  image_height: Pixels,
  video_width: Pixels,
  video_height: Pixels,
  color: Maybe(Nullable(Integer(0, 0xffffff))),
  fields: Maybe(Nullable(List(GivenField, { max: 25 }))),
})
/** An embed as somebody gives it. */
export type Embed = Static<typeof Embed>

/** All embeds of a message. */
export const Embeds = refine(List(Embed, { max: MAX_EMBEDS }), (embeds) =>
  new TextEncoder().encode(stringifyJson(embeds)).length > MAX_EMBEDS_BYTES
    ? `must have at most ${MAX_EMBEDS_BYTES} bytes as JSON`
    : undefined,
)

/** The field `embed`, in which clients send the JSON text of one embed; an object or a list is taken as well. */
export const EmbedText = accepting(Embeds, (raw) => {
  const value = typeof raw === 'string' ? parsed(raw) : raw
  return Array.isArray(value) || typeof value !== 'object' ? value : [value]
})

/** The value in a JSON text, nothing for an empty one; text that is no JSON stays, and is refused as what it is. */
function parsed(text: string): unknown {
  if (text === '') return []
  try {
    return parseJson(text)
  } catch {
    return text
  }
}

const KEYS = Object.keys(EmbedObject.properties)

/** The embed with all sixteen keys. */
export function fullEmbed(embed: Embed): EmbedObject {
  return Object.fromEntries(KEYS.map((key) => [key, embed[key as keyof Embed] ?? null])) as unknown as EmbedObject
}
