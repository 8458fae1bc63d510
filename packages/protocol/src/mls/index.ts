/** The byte layouts of MLS (RFC 9420) that a server has to understand (spec 05, sections 13.1 and 14.5). */

export * from './encoding.ts'
export * from './key-package.ts'
export * from './message.ts'
