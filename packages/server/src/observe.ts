import type { Community } from './community/community.ts'
import type { Database } from './db/database.ts'
import type { Gateway } from './gateway/gateway.ts'
import type { Metrics } from './http/metrics.ts'
import type { Spool } from './storage/spool.ts'

interface Observed {
  db: Database
  community: Community
  gateway: Gateway
  spool: Spool
}

/** What `/metrics` says of the parts of a server; of requests and of the process it speaks by itself. */
export function observe(metrics: Metrics, { db, community, gateway, spool }: Observed): void {
  metrics.gauge('vox_members', 'Members of the community.', () => community.memberCount)
  observeDatabase(metrics, db)
  observeGateway(metrics, gateway)
  metrics.counter('vox_upload_files_total', 'Files received since the start.', () => spool.receivedFiles)
  metrics.counter('vox_upload_bytes_total', 'Bytes of those files.', () => spool.receivedBytes)
}

function observeDatabase(metrics: Metrics, db: Database): void {
  metrics.gauge('vox_database_up', '1 if the database answers, 0 if not.', () =>
    db.ping().then(
      () => 1,
      () => 0,
    ),
  )
  const gauge = (name: string, help: string, read: (stats: Database['stats']) => number) =>
    metrics.gauge(`vox_database_${name}`, help, () => read(db.stats))
  const counter = (name: string, help: string, read: (stats: Database['stats']) => number) =>
    metrics.counter(`vox_database_${name}`, help, () => read(db.stats))
  gauge('connections', 'PostgreSQL connections that read; 0 on SQLite.', ({ pool }) => pool?.connections ?? 0)
  gauge('connections_idle', 'Those of them that nobody uses.', ({ pool }) => pool?.idle ?? 0)
  gauge('reads_waiting', 'Queries that wait for a connection.', ({ pool }) => pool?.waiting ?? 0)
  gauge('writes_waiting', 'Writes that wait for their turn.', ({ waiting }) => waiting)
  counter('writes_total', 'Writes committed since the start.', ({ jobs }) => jobs)
  counter('write_seconds_total', 'Time they took in all, waiting and commit included.', ({ seconds }) => seconds)
  counter('commits_total', 'Commits that those writes shared.', ({ commits }) => commits)
  counter('writes_lost_total', 'Writes refused because the database was out of reach.', ({ lost }) => lost)
}

function observeGateway(metrics: Metrics, gateway: Gateway): void {
  const gauge = (name: string, help: string, read: (stats: Gateway['stats']) => number) =>
    metrics.gauge(`vox_gateway_${name}`, help, () => read(gateway.stats))
  const counter = (name: string, help: string, read: (stats: Gateway['stats']) => number) =>
    metrics.counter(`vox_gateway_${name}`, help, () => read(gateway.stats))
  gauge('sockets', 'Open gateway sockets, identified or not.', ({ sockets }) => sockets)
  gauge('live_sessions', 'Gateway sessions with a socket.', ({ liveSessions }) => liveSessions)
  gauge('resumable_sessions', 'Gateway sessions that may still be resumed.', (stats) => stats.resumableSessions)
  counter('sessions_opened_total', 'Sessions opened since the start.', ({ opened }) => opened)
  counter('sessions_resumed_total', 'Sessions resumed since the start.', ({ resumed }) => resumed)
  metrics.counters(
    'vox_gateway_closes_total',
    'Connections that the server closed, by the reason it gave.',
    'reason',
    () => gateway.stats.closes,
  )
  counter('events_total', 'Events dispatched since the start.', ({ events }) => events)
  counter('deliveries_total', 'Events handed to sessions since the start.', ({ deliveries }) => deliveries)
}
