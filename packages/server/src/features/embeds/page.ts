import { TextDecoder } from 'node:util'
import { EMBED_PIXELS_MAX, EMBED_TEXT_MAX, type EmbedObject, fullEmbed } from '@vox/protocol'
import type { OutboundAnswer } from '../../outbound/outbound.ts'
import { type Head, readHead } from './head.ts'

const HTML = /^(?:text\/html|application\/xhtml\+xml)\s*(?:;|$)/i
const CHARSET = /;\s*charset\s*=\s*"?([^\s";]+)/i

/** How far into a page it may say what its characters are, bytes. */
const DECLARED_WITHIN = 1024
const DECLARATION = /<meta[^>]{0,200}?charset\s*=\s*["']?([\w:.-]+)/i

/** The preview of a page; all null for an answer that is none (spec 04, section 8.2). */
export function previewOf({ url, status, headers, body }: OutboundAnswer): EmbedObject {
  const type = headers['content-type'] ?? ''
  if (status < 200 || status > 299 || !HTML.test(type)) return fullEmbed({})
  return embedOf(readHead(textOf(body, CHARSET.exec(type)?.[1])), url)
}

/** The text of a page in its declared character set; what cannot be read in it is replaced. */
export function textOf(body: Buffer, fromHeader: string | undefined): string {
  const label = fromHeader ?? DECLARATION.exec(body.toString('latin1', 0, DECLARED_WITHIN))?.[1]
  return decoderFor(label).decode(body).replaceAll('\0', '\ufffd')
}

function decoderFor(label = 'utf-8'): TextDecoder {
  try {
    return new TextDecoder(label)
  } catch {
    return new TextDecoder()
  }
}

function embedOf(head: Head, base: URL): EmbedObject {
  const og = (key: string) => head.get(`property og:${key}`)
  const text = (key: keyof typeof EMBED_TEXT_MAX, fallback?: string) => cut(og(key) ?? fallback, EMBED_TEXT_MAX[key])
  const link = (key: string) => absolute(og(key), base)
  return fullEmbed({
    title: text('title', head.get('title')),
    description: text('description', head.get('name description')),
    site_name: text('site_name'),
    type: text('type'),
    locale: text('locale'),
    url: link('url'),
    image: link('image'),
    video: link('video'),
    audio: link('audio'),
    image_width: pixels(og('image:width')),
    image_height: pixels(og('image:height')),
    video_width: pixels(og('video:width')),
    video_height: pixels(og('video:height')),
  })
}

function cut(text: string | undefined, max: number): string | null {
  if (text === undefined) return null
  return [...text.slice(0, 2 * max)].slice(0, max).join('')
}

function absolute(link: string | undefined, base: URL): string | null {
  const url = link === undefined ? null : URL.parse(link, base.href)
  const isWeb = url !== null && (url.protocol === 'http:' || url.protocol === 'https:')
  return isWeb && url.href.length <= EMBED_TEXT_MAX.url ? url.href : null
}

function pixels(text = ''): number | null {
  const count = /^\d{1,10}$/.test(text) ? Number(text) : 0
  return count > 0 && count <= EMBED_PIXELS_MAX ? count : null
}
