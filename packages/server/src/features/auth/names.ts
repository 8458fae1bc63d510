import { folded } from '../../folded.ts'
/**
 * The key under which a username is unique: two names are the same when they are equal after NFKC and case folding
 * (spec 02, section 1.3). Going through upper case folds what lower-casing alone leaves apart, such as ß and ss.
 */
export function usernameKey(username: string): string {
  return folded(username)
}

/** The display name to store: the given one, or the username when it is missing or blank. */
export function displayNameOr(username: string, given: string | undefined): string {
  return given === undefined || /^\p{White_Space}*$/u.test(given) ? username : given
}
