import { hash, randomBytes } from 'node:crypto'

const TOKEN_BYTES = 48
const SECRET_BYTES = 32

/** A fresh token: the prefix, which says what it is for, and 64 random characters. */
export const newToken = (prefix: string): string => prefix + randomBytes(TOKEN_BYTES).toString('base64url')

/** A fresh secret that is kept for long: the prefix and 43 random characters. */
export const newSecret = (prefix: string): string => prefix + randomBytes(SECRET_BYTES).toString('base64url')

/** What is stored of a token. */
export const tokenHash = (token: string): string => hash('sha256', token)
