/** Registers an account on a fresh server, which makes it administrator, and gives it a feed. */
export async function register(port: number, username = 'bench'): Promise<{ token: string; feedId: number }> {
  const { token } = await post(port, '/auth/register', { username, password: 'correct horse' })
  const { feed_id: feedId } = await post(port, '/feeds', { name: 'bench', type: 'text' }, String(token))
  return { token: String(token), feedId: Number(feedId) }
}

/** A request to a server on this machine; the answer must be a success. */
export async function post(port: number, path: string, body: object, token?: string): Promise<Record<string, unknown>> {
  const response = await fetch(`http://127.0.0.1:${port}/api/v1${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
    body: JSON.stringify(body),
  })
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`)
  return (await response.json()) as Record<string, unknown>
}
