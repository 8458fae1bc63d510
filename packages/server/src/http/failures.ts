import { ApiError, DecodeError, type ErrorEnvelope } from '@vox/protocol'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import type { Logger } from 'pino'
import { DatabaseUnavailable } from '../db/database.ts'
import { maskUrl } from '../log.ts'
import { endSoon } from './body.ts'

/** Turns whatever went wrong into what the caller may know of it (spec 01, section 5). */
export function asApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error
  if (error instanceof DecodeError) return new ApiError('VALIDATION_ERROR', { message: error.message })
  if (error instanceof DatabaseUnavailable)
    return new ApiError('INTERNAL_ERROR', {
      status: 503,
      message: 'The database is unavailable. Try again in a moment.',
    })
  return fromFramework(error as FastifyError)
}

/** What Fastify refuses by itself: paths that do not decode or name nothing for their length, malformed lengths. */
function fromFramework(error: FastifyError): ApiError {
  switch (error.code) {
    case 'FST_ERR_BAD_URL':
      return new ApiError('VALIDATION_ERROR', { message: 'The path is not properly percent-encoded.' })
    case 'FST_ERR_MAX_PARAM_LENGTH':
      return new ApiError('NOT_FOUND')
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return new ApiError('VALIDATION_ERROR', { message: 'A JSON body is required (Content-Type: application/json).' })
    case 'FST_ERR_CTP_INVALID_CONTENT_LENGTH':
      return new ApiError('VALIDATION_ERROR', { message: 'The body does not have the declared length.' })
    default:
      return new ApiError('INTERNAL_ERROR')
  }
}

/** Fastify's error handler: the envelope, its headers, and a log line for what the caller cannot have caused. */
export function failureAnswerer(log: Logger) {
  return (error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const failure = asApiError(error)
    if (failure.status >= 500 && failure !== error && !hungUp(request))
      log.error(
        { err: error, request: request.id, method: request.method, path: maskUrl(request.url) },
        'request failed',
      )
    if (failure.status === 413 && !request.raw.complete) void endSoon(request.raw)
    return reply.headers(headersOf(failure.envelope)).code(failure.status).send(failure.envelope)
  }
}

/** Whether the caller went away in the middle of the request. */
const hungUp = ({ raw }: FastifyRequest): boolean => raw.destroyed && !raw.complete

function headersOf({ error }: ErrorEnvelope): Record<string, string> {
  const { retry_after_ms: wait } = error
  return wait === undefined ? {} : { 'retry-after': String(Math.ceil(wait / 1000)) }
}
