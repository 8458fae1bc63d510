import type { Answer, Client } from './server.ts'

/** A part of a form as it is to be sent. */
export interface TestPart {
  name: string
  /** A file, if it has one. */
  fileName?: string
  type?: string
  content: string | Buffer
}

const BOUNDARY = 'a-boundary'

export const FORM_TYPE = `multipart/form-data; boundary=${BOUNDARY}`

/** The body of a form. */
export function formBody(...parts: TestPart[]): Buffer<ArrayBuffer> {
  return Buffer.concat([...parts.flatMap(partBytes), Buffer.from(`--${BOUNDARY}--\r\n`)])
}

function partBytes({ name, fileName, type, content }: TestPart): Buffer[] {
  const disposition = `form-data; name="${name}"${fileName === undefined ? '' : `; filename="${fileName}"`}`
  const headers = [`Content-Disposition: ${disposition}`, ...(type === undefined ? [] : [`Content-Type: ${type}`])]
  return [Buffer.from(`--${BOUNDARY}\r\n${headers.join('\r\n')}\r\n\r\n`), Buffer.from(content), Buffer.from('\r\n')]
}

/** Posts a form. */
export function postForm(client: Client, path: string, ...parts: TestPart[]): Promise<Answer> {
  return client.raw('POST', `/api/v1${path}`, formBody(...parts), { 'content-type': FORM_TYPE })
}

/** The part that is the file of an upload. */
export const filePart = (content: string | Buffer, rest: Partial<TestPart> = {}): TestPart => ({
  name: 'file',
  fileName: 'file.txt',
  type: 'text/plain',
  content,
  ...rest,
})

/** Uploads a text file to a feed; its id. */
export function uploadText(client: Client, feedId: number, text = 'hello world'): Promise<string> {
  return uploadTextTo(client, `/feeds/${feedId}`, text)
}

/** Uploads a text file to a feed or conversation with this path; its id. */
export async function uploadTextTo(client: Client, path: string, text = 'hello world'): Promise<string> {
  const { status, body } = await postForm(client, `${path}/files`, filePart(text))
  if (status !== 201) throw new Error(`uploading: ${status} ${body?.error?.message}`)
  return body.file_id
}
