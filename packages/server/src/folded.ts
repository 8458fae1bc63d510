/**
 * Text without difference between capitals and small letters, in any alphabet: what is compared or searched. The second
 * small sigma goes too: which one a capital becomes depends on where it stands, and a part of a word stands elsewhere.
 */
export const folded = (text: string): string =>
  text.normalize('NFKC').toUpperCase().toLowerCase().normalize('NFKC').replaceAll('ς', 'σ')
