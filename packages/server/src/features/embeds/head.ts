import { Tokenizer, type TokenizerCallbacks } from 'htmlparser2'

/** What a page says of itself, by key: `title`, `name description`, `property og:title` and so on. */
export type Head = ReadonlyMap<string, string>

/**
 * Reads the title and the meta tags of a page; of several with one key the first that says something. It sees tags but
 * not their tree, so the time it takes grows with the length of the page and with nothing else.
 */
export function readHead(html: string): Head {
  const reader = new HeadReader(html)
  const tokenizer = new Tokenizer({ xmlMode: false, decodeEntities: true }, reader)
  tokenizer.write(html)
  tokenizer.end()
  return reader.head
}

class HeadReader implements TokenizerCallbacks {
  readonly head = new Map<string, string>()
  readonly #html: string
  #tag = ''
  #attribute = ''
  readonly #attributes = new Map<string, string>()
  /** The text of the attribute or title that is being read. */
  #text = ''

  constructor(html: string) {
    this.#html = html
  }

  onopentagname(start: number, end: number): void {
    this.#tag = this.#word(start, end)
    this.#attributes.clear()
    this.#text = ''
  }

  onattribname(start: number, end: number): void {
    this.#attribute = this.#word(start, end)
    this.#text = ''
  }

  onattribdata(start: number, end: number): void {
    if (this.#tag === 'meta') this.#text += this.#html.slice(start, end)
  }

  onattribentity(codePoint: number): void {
    this.#text += String.fromCodePoint(codePoint)
  }

  onattribend(): void {
    if (!this.#attributes.has(this.#attribute)) this.#attributes.set(this.#attribute, this.#text)
    this.#text = ''
  }

  onopentagend(): void {
    if (this.#tag !== 'meta') return
    for (const kind of ['property', 'name']) {
      const name = this.#attributes.get(kind)?.trim().toLowerCase()
      if (name !== undefined) this.#keep(`${kind} ${name}`, this.#attributes.get('content') ?? '')
    }
  }

  onselfclosingtag(): void {
    this.onopentagend()
  }

  ontext(start: number, end: number): void {
    if (this.#tag === 'title') this.#text += this.#html.slice(start, end)
  }

  ontextentity(codePoint: number): void {
    if (this.#tag === 'title') this.#text += String.fromCodePoint(codePoint)
  }

  onclosetag(): void {
    if (this.#tag === 'title') this.#keep('title', this.#text)
    this.#tag = ''
  }

  oncomment(): void {}
  oncdata(): void {}
  ondeclaration(): void {}
  onprocessinginstruction(): void {}
  onend(): void {}

  #keep(key: string, text: string): void {
    const said = text.trim()
    if (said !== '' && !this.head.has(key)) this.head.set(key, said)
  }

  #word(start: number, end: number): string {
    return this.#html.slice(start, end).toLowerCase()
  }
}
