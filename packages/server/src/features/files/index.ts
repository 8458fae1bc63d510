import { deleteFile, getFile, uploadDmFile, uploadFile } from '@vox/protocol/endpoints'
import type { Mount } from '../../http/pipeline.ts'
import type { Services } from '../../services.ts'
import { removeOrphans } from './orphans.ts'
import { FileService } from './service.ts'

/** Uploaded files. */
export function files(services: Services, on: Mount): void {
  const service = new FileService(services)
  services.cleanup.add('stored objects without a row', () => removeOrphans(services))

  on(uploadFile, ({ params, body, caller }) => service.upload(caller.userId, params, body))
  on(uploadDmFile, ({ params, body, caller }) => service.upload(caller.userId, params, body))
  on(getFile, ({ params, caller }) => service.download(caller.userId, params.file_id))
  on(deleteFile, ({ params, caller }) => service.delete(caller.userId, params.file_id))
}
