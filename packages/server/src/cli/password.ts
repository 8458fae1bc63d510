import { createInterface } from 'node:readline/promises'
import { type Readable, Writable } from 'node:stream'
import { Refusal } from '../refusal.ts'
import { type Flag, type Invocation, UsageError } from './command.ts'

/** The flag of commands that read a password; one given as an argument would be in everybody's process list. */
export const PASSWORD_FLAGS: Readonly<Record<string, Flag>> = {
  'password-stdin': { doc: 'Read the password as one line from standard input instead of asking for it.' },
}

/** The password that somebody types twice without seeing it, or hands over on standard input. */
export async function readPassword({ in: input, err, flags }: Invocation): Promise<string> {
  if (flags['password-stdin']) return firstLine(input)
  if (!input.isTTY)
    throw new UsageError('There is no terminal to ask for a password at. Hand it over with --password-stdin.')
  const password = await askUnseen('Password: ', input, err)
  if ((await askUnseen('The same again: ', input, err)) !== password) throw new Refusal('The two passwords differ.')
  return password
}

/** One line of text that is typed unseen at a terminal, or handed over where there is none. */
export async function readSecret({ in: input, err }: Pick<Invocation, 'in' | 'err'>): Promise<string> {
  return input.isTTY ? askUnseen('Value: ', input, err) : firstLine(input)
}

async function firstLine(input: Readable): Promise<string> {
  let text = ''
  for await (const chunk of input.setEncoding('utf8')) {
    text += chunk
    if (text.includes('\n')) break
  }
  const [line = ''] = text.split(/\r?\n/)
  if (line === '') throw new Refusal('There is nothing on standard input.')
  return line
}

/** Asks at a terminal. What is typed goes nowhere: readline switches the terminal's own echo off. */
async function askUnseen(question: string, input: Readable, output: Invocation['err']): Promise<string> {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  using lines = createInterface({ input, output: nowhere, terminal: true })
  output.write(question)
  const interrupted = new Promise<never>((_, reject) => lines.once('close', () => reject(new Refusal('Cancelled.'))))
  try {
    return await Promise.race([lines.question(''), interrupted])
  } finally {
    output.write('\n')
  }
}
