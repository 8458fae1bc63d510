/** Text without difference between capitals and small letters, in any alphabet: what is compared or searched. */
export const folded = (text: string): string => text.normalize('NFKC').toUpperCase().toLowerCase().normalize('NFKC')
