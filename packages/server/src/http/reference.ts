import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import { openApiDocument } from '@vox/protocol'
import { ENDPOINTS } from '@vox/protocol/endpoints'
import type { FastifyInstance } from 'fastify'
import { VERSION } from '../version.ts'

/** The API reference: `/api/v1/openapi.json` for programs, `/docs` for people. */
export async function mountReference(http: FastifyInstance): Promise<void> {
  const document = openApiDocument(ENDPOINTS, { title: 'Vox', version: VERSION })
  const text = JSON.stringify(document)
  http.get('/api/v1/openapi.json', (_request, reply) => reply.type('application/json; charset=utf-8').send(text))
  await http.register(swagger, { mode: 'static', specification: { document: document as never } })
  await http.register(swaggerUi, { routePrefix: '/docs', staticCSP: true })
}
