import { Fields, Nullable, Text } from '@vox/protocol'
import { NewPassword, Username } from '@vox/protocol/endpoints'
import {
  createAdministrator,
  listAdministrators,
  promote,
  resetPassword,
  resetSecondFactors,
} from './administrators.ts'
import { operation } from './operation.ts'
import { changeSetting, listSettings } from './settings.ts'

const Account = Fields({ username: Text() })

/** What an operator can have done to the community, whether its server runs or not. */
export const OPERATIONS = {
  'admin/create': operation(Fields({ username: Username, password: NewPassword }), createAdministrator),
  'admin/promote': operation(Account, promote),
  'admin/reset-password': operation(Fields({ username: Text(), password: NewPassword }), resetPassword),
  'admin/reset-2fa': operation(Account, resetSecondFactors),
  'admin/list': operation(Fields({}), listAdministrators),
  'config/list': operation(Fields({}), listSettings),
  'config/change': operation(Fields({ name: Text(), value: Nullable(Text()) }), changeSetting),
} as const
