/** Who may ask at all: tokens, cookies, hosts, origins, other users; and what every answer says to a browser. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { CONTRACT } from '../../core/api/contract.ts';
import { runJob } from '../../core/jobs/runner.ts';
import { readToken, tokenFile } from '../../core/server/private-socket.ts';
import { startService, type RunningService } from '../../core/server/serve.ts';
import { sqliteStorage } from '../../db/index.ts';
import { ask, failureOf, open, type Answer } from '../fixtures/service.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';

const root = temporaryFolder();
const outside = temporaryFolder();
const page = temporaryFolder();
let running: RunningService;
let port = 0;
let token = '';

before(async () => {
  process.env.CONTEXTURE_STATE = temporaryFolder();
  writeFileSync(join(page, 'index.html'), '<!doctype html><title>Contexture</title>');
  mkdirSync(join(page, 'assets'));
  writeFileSync(join(page, 'assets', 'main-1a2b.js'), 'export {};');
  running = await startService({
    storage: sqliteStorage,
    runJob,
    loopback: { port: 0, roots: [root] },
    pageFolder: page,
    log: () => {},
  });
  const address = new URL(running.address!);
  port = Number(address.port);
  token = address.searchParams.get('token')!;
});
after(() => running.close());

/** The headers of a program on this machine that knows the token. */
const known = (): Record<string, string> => ({ host: `127.0.0.1:${port}`, authorization: `Bearer ${token}` });
const get = (path: string, headers: Record<string, string>): Promise<Answer> => ask({ port }, 'GET', path, { headers });

async function refused(path: string, headers: Record<string, string>, method = 'GET'): Promise<void> {
  const answer = await ask({ port }, method, path, { headers });
  assert.deepEqual([answer.status, failureOf(answer).code], [403, 'no-permission'], JSON.stringify(headers));
  assert.ok(!answer.text.includes(token));
}

test('without the token nothing is answered: no route, no page, whatever the method', async () => {
  const host = `127.0.0.1:${port}`;
  for (const key of Object.keys(CONTRACT)) {
    const [method, path] = key.split(' ');
    await refused(path.replaceAll(/\{\w+\}/g, '1'), { host }, method);
  }
  for (const path of [
    '/',
    '/p/1/explore',
    '/assets/main-1a2b.js',
    '/nothing.js',
    '/api',
    '/api/nothing',
    '//',
    '/%zz',
  ]) {
    await refused(path, { host });
  }
  for (const method of ['OPTIONS', 'PUT', 'DELETE', 'PATCH', 'TRACE', 'PROPFIND'])
    await refused('/api/about', { host }, method);
  const head = await ask({ port }, 'HEAD', '/', { headers: { host } });
  assert.deepEqual([head.status, head.text], [403, '']);
});

test('a wrong token is no token: of another length, case, scheme, the socket’s own', async () => {
  const host = `127.0.0.1:${port}`;
  const wrong = [
    '',
    'Bearer',
    'Bearer ',
    `Bearer ${token.slice(1)}`,
    `Bearer ${token}x`,
    `Bearer  ${token}`,
    `bearer ${token}`,
    `Basic ${token}`,
    `Bearer ${token.toUpperCase()}`,
    `Bearer ${running.token}`,
    token,
  ];
  for (const authorization of wrong) await refused('/api/about', { host, authorization });
  for (const cookie of [
    `contexture-${port}=`,
    `contexture-${port}=x`,
    `contexture=${token}`,
    `contexture-1=${token}`,
  ]) {
    await refused('/api/about', { host, cookie });
  }
  assert.equal((await get('/api/about', known())).status, 200);
});

test('the token in the first address becomes a cookie that no script reads and no other site sends', async () => {
  const host = `127.0.0.1:${port}`;
  const first = await get(`/?token=${token}`, { host, 'sec-fetch-site': 'none' });
  assert.deepEqual([first.status, first.headers.location], [303, '/']);
  const [cookie] = first.headers['set-cookie']!;
  assert.match(cookie, new RegExp(`^contexture-${port}=${token}; `));
  assert.deepEqual(cookie.split('; ').slice(1).toSorted(), ['HttpOnly', 'Path=/', 'SameSite=Strict']);
  const answer = await get('/', { host, cookie: cookie.split(';')[0] });
  assert.equal(answer.status, 200);
  assert.match(answer.text, /<title>Contexture/);
  assert.ok(!answer.text.includes(token));
  // Only the very first address takes it, and only by GET.
  await refused('/?token=wrong', { host });
  await refused('/?token=', { host });
  await refused(`/api/about?token=${token}`, { host });
  await refused(`/p/1?token=${token}`, { host });
  await refused(`/?token=${token}`, { host }, 'POST');
  await refused(`/?token=${token}`, { host: 'evil.example' });
});

test('a name that somebody points at this machine gets no answer', async () => {
  const headers = known();
  const foreign = ['evil.example', `evil.example:${port}`, '127.0.0.1', `127.0.0.1:${port + 1}`, `127.0.0.2:${port}`];
  foreign.push(`localhost.:${port}`, `LOCALHOST:${port}`, `0.0.0.0:${port}`, `[::1]`);
  foreign.push(`127.1:${port}`, `2130706433:${port}`);
  for (const host of foreign) await refused('/api/about', { ...headers, host });
  // What is no host at all does not even come to the application.
  for (const host of [`127.0.0.1:${port}@evil.example`, `127.0.0.1:${port}/`, ' ']) {
    const { status, text } = await get('/api/about', { ...headers, host });
    assert.ok((status === 400 && text === '') || status === 403, `${host} ${status}`);
  }
  // A whole address in the request line does not stand for the host.
  await refused(`http://127.0.0.1:${port}/api/about`, { ...headers, host: 'evil.example' });
  for (const host of [`localhost:${port}`, `[::1]:${port}`]) {
    assert.equal((await get('/api/about', { ...headers, host })).status, 200, host);
  }
});

test('a request that a foreign page makes is refused, with the cookie too', async () => {
  const host = `127.0.0.1:${port}`;
  const headers = { host, cookie: `contexture-${port}=${token}` };
  for (const origin of [
    'https://evil.example',
    'null',
    `http://127.0.0.1:${port + 1}`,
    `https://${host}`,
    `http://localhost:${port}`,
  ]) {
    await refused('/api/tasks/pause-all', { ...headers, origin }, 'POST');
    await refused('/api/about', { ...headers, origin });
  }
  for (const site of ['cross-site', 'same-site']) await refused('/api/about', { ...headers, 'sec-fetch-site': site });
  assert.equal((await get('/api/about', { ...headers, origin: `http://${host}` })).status, 200);
  assert.equal((await get('/api/about', { ...headers, 'sec-fetch-site': 'same-origin' })).status, 200);
  // No answer tells a browser that another site may read it.
  const asked = await ask({ port }, 'OPTIONS', '/api/tasks', {
    headers: { ...known(), origin: `http://${host}`, 'access-control-request-method': 'POST' },
  });
  assert.equal(asked.status, 404);
  assert.deepEqual(
    Object.keys(asked.headers).filter((name) => name.startsWith('access-control')),
    [],
  );
});

test('every answer has the same guarding headers: page, data, refusals, defects of the address', async () => {
  const host = `127.0.0.1:${port}`;
  const answers = [
    await get('/', known()),
    await get('/assets/main-1a2b.js', known()),
    await get('/api/about', known()),
    await get('/api/nothing', known()),
    await get('/nothing.js', known()),
    await get('/%zz', known()),
    await get('/api/about', { host }),
    await get(`/?token=${token}`, { host }),
    await ask({ socket: running.socket }, 'GET', '/', { headers: { authorization: `Bearer ${running.token}` } }),
  ];
  assert.deepEqual(
    answers.map(({ status }) => status),
    [200, 200, 200, 404, 404, 400, 403, 303, 200],
  );
  for (const { headers } of answers) {
    const policy = String(headers['content-security-policy']);
    assert.match(policy, /^default-src 'none'; script-src 'self'; /);
    assert.match(policy, /frame-ancestors 'none'/);
    assert.doesNotMatch(policy, /unsafe|https?:|\*/);
    assert.equal(headers['x-content-type-options'], 'nosniff');
    assert.equal(headers['referrer-policy'], 'no-referrer');
    assert.equal(headers['cross-origin-opener-policy'], 'same-origin');
    assert.equal(headers['cross-origin-resource-policy'], 'same-origin');
    assert.equal(headers['access-control-allow-origin'], undefined);
  }
});

test('the page: addresses of screens get its index, files are what was built, nothing beside them', async () => {
  for (const path of [
    '/',
    '/p/1/explore',
    '/p/1/runs/2?x=1',
    '/..%2f..%2fetc%2fpasswd',
    '/%2e%2e/%2e%2e/etc/hostname',
  ]) {
    const { text, headers } = await get(path, known());
    assert.match(text, /<title>Contexture/, path);
    assert.match(String(headers['content-type']), /^text\/html/);
  }
  const script = await get('/assets/main-1a2b.js', known());
  assert.match(String(script.headers['content-type']), /^text\/javascript/);
  assert.match(String(script.headers['cache-control']), /immutable/);
  for (const path of [
    '/../index.html.bak',
    '/assets/..%2f..%2fpackage.json',
    '/package.json',
    '/assets/%00.js',
    '/.env',
  ]) {
    assert.equal((await get(path, known())).status, path === '/.env' ? 200 : 404, path);
  }
});

test('the private socket: only with its own token, in a folder of the user alone', async () => {
  const where = { socket: running.socket };
  for (const authorization of ['', `Bearer ${token}`, `Bearer ${running.token}x`]) {
    assert.equal((await ask(where, 'GET', '/api/about', { headers: { authorization } })).status, 403);
  }
  // The address of a browser is none here.
  assert.equal((await ask(where, 'GET', `/?token=${running.token}`)).status, 403);
  assert.equal(
    (await ask(where, 'GET', '/api/about', { headers: { cookie: `contexture=${running.token}` } })).status,
    403,
  );
  const folder = dirname(running.socket);
  assert.equal(statSync(folder).mode & 0o777, 0o700);
  assert.equal(statSync(tokenFile(running.socket)).mode & 0o777, 0o600);
  assert.ok(Buffer.byteLength(running.socket) < 104);
  assert.equal(readToken(running.socket), running.token);
});

const isRoot = process.getuid?.() === 0;
test(
  'another user of the machine cannot reach the socket',
  { skip: isRoot ? false : 'needs root to become another user' },
  () => {
    // Becomes the other user itself: that one may not be able to start this Node.
    const script = `process.setgroups([]); process.setgid(65534); process.setuid(65534);
    require('node:net').connect(process.argv[1])
    .on('connect', () => { console.log('connected'); process.exit(); })
    .on('error', (error) => { console.log(error.code); process.exit(); })`;
    const asNobody = (path: string): string =>
      spawnSync(process.execPath, ['-e', script, path], { encoding: 'utf8' }).stdout.trim();
    assert.equal(asNobody(running.socket), 'EACCES');
    // What they could reach, a socket of their own, our command line does not take for ours.
    const theirs = temporaryFolder();
    writeFileSync(join(theirs, 'token'), 'theirs');
    spawnSync('chown', ['65534:65534', theirs]);
    spawnSync('chmod', ['700', theirs]);
    assert.equal(readToken(join(theirs, 's')), undefined);
    // Nor one that others may write to.
    const shared = temporaryFolder();
    writeFileSync(join(shared, 'token'), 'shared');
    spawnSync('chmod', ['777', shared]);
    assert.equal(readToken(join(shared, 's')), undefined);
  },
);

test('only loopback is listened on', async () => {
  const { networkInterfaces } = await import('node:os');
  const others = Object.values(networkInterfaces()).flatMap((list) => (list ?? []).filter(({ internal }) => !internal));
  for (const { address } of others) {
    const outcome = await new Promise((resolve) => {
      const socket = connect({ host: address, port, timeout: 2000 });
      socket.once('connect', () => resolve('connected'));
      for (const name of ['error', 'timeout']) socket.once(name, () => resolve('refused'));
    });
    assert.equal(outcome, 'refused', address);
  }
});

test('huge bodies end early, whether their size is told or not', async () => {
  const big = Buffer.alloc(13 * 2 ** 20, 0x20);
  const headers = { ...known(), 'content-type': 'application/json' };
  const told = await ask({ port }, 'POST', '/api/projects', { headers, body: new Uint8Array(big) });
  assert.deepEqual(
    [told.status, failureOf(told).message],
    [400, 'The body of the request is too large: send less at a time.'],
  );
  const chunked = await ask({ port }, 'POST', '/api/projects', {
    headers: { ...headers, 'transfer-encoding': 'chunked' },
    body: new Uint8Array(big),
  });
  assert.deepEqual([chunked.status, failureOf(chunked).code], [400, 'usage']);
  // A header that lies is the server's to find out.
  const deep = `{"file":${'['.repeat(2_000_000)}`;
  const nested = await ask({ port }, 'POST', '/api/projects', { headers, body: new Uint8Array(Buffer.from(deep)) });
  assert.deepEqual([nested.status, failureOf(nested).code], [400, 'usage']);
  assert.equal((await get('/api/about', known())).status, 200);
});

test('bodies that are not sent as JSON, or are none', async () => {
  const send = async (type: string | undefined, text: string): Promise<string> => {
    const headers = { ...known(), ...(type === undefined ? {} : { 'content-type': type }) };
    const answer = await ask({ port }, 'PATCH', '/api/settings', { headers, body: new Uint8Array(Buffer.from(text)) });
    assert.equal(answer.status, 400, `${type} ${text}`);
    return failureOf(answer).message;
  };
  for (const type of [
    undefined,
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'text/json',
  ]) {
    assert.match(await send(type, '{"theme":"dark"}'), /no body of type application\/json/);
  }
  for (const text of ['', '{', 'undefined', '{"theme":"dark"}{}', '\ufeff\u0000', "{'theme':'dark'}"]) {
    assert.match(await send('application/json', text), /is not JSON/);
  }
  for (const text of ['null', '[]', '"dark"', '1', 'true'])
    assert.match(await send('application/json', text), /is not valid/);
  const good = await ask({ port }, 'PATCH', '/api/settings', {
    headers: { ...known(), 'content-type': 'application/json; charset=utf-8' },
    body: new Uint8Array(Buffer.from('{"theme":"dark","__proto__":{"polluted":1},"constructor":{}}')),
  });
  assert.equal(good.status, 200);
  assert.equal(({} as { polluted?: number }).polluted, undefined);
  assert.deepEqual(Object.keys(JSON.parse(good.text) as object).toSorted(), [
    'author',
    'keys',
    'theme',
    'thumbnailSize',
  ]);
});

test('only what lies below the roots can be named, with all links followed', async () => {
  mkdirSync(join(root, 'in'));
  mkdirSync(join(outside, 'out'));
  symlinkSync(outside, join(root, 'away'));
  symlinkSync(join(outside, 'not-there.contexture'), join(root, 'dangling.contexture'));
  symlinkSync(join(root, 'in'), join(outside, 'back'));
  symlinkSync('circle', join(root, 'circle'));
  const check = async (path: string): Promise<string | number> => {
    const answer = await get(`/api/folders?path=${encodeURIComponent(path)}`, known());
    return answer.status === 200 ? 200 : failureOf(answer).code;
  };
  assert.equal(await check(root), 200);
  assert.equal(await check(join(root, 'in')), 200);
  assert.equal(await check(`${root}/in/../in/.`), 200);
  assert.equal(await check(join(outside, 'back')), 200);
  for (const path of [
    outside,
    '/',
    '/etc',
    dirname(root),
    `${root}/..`,
    `${root}/../${outside.split('/').at(-1)}`,
    `${root}-beside`,
    join(root, 'away'),
    join(root, 'away', 'out'),
    `${root}/away/../in`.replace('/in', '/nothing'),
    '/proc/self/root',
    `/proc/self/cwd`,
  ]) {
    const expected = path.endsWith('nothing') ? 'not-found' : 'no-permission';
    assert.equal(await check(path), expected, path);
  }
  for (const path of ['in', './in', '', `${root}/in\0`, '~', 'file:///etc', 'C:\\'])
    assert.equal(await check(path), 'usage', path);
  assert.equal(await check(join(root, 'circle')), 'usage');
  assert.equal(await check(join(root, 'circle', 'below')), 'usage');
  assert.equal(await check(join(root, 'x'.repeat(5000))), 'usage');
  // Making a project counts by where it would come to lie.
  const make = async (file: string): Promise<number> =>
    (await ask({ port }, 'POST', '/api/projects', { headers: known(), body: { file, create: true } })).status;
  assert.equal(await make(join(root, 'dangling.contexture')), 403);
  assert.equal(await make(join(root, 'away', 'new.contexture')), 403);
  assert.equal(await make(join(root, 'circle', 'new.contexture')), 400);
  assert.equal(await make(`${root}/in/../../escaped.contexture`), 403);
  assert.equal(await make(join(root, 'in', 'deep', 'new.contexture')), 200);
  // Nor does the list tell of projects elsewhere, or let them be forgotten.
  const list = await get('/api/projects', known());
  assert.deepEqual(
    (JSON.parse(list.text) as { file: string }[]).map(({ file }) => file),
    [join(root, 'in', 'deep', 'new.contexture')],
  );
  const forget = await ask({ port }, 'POST', '/api/projects/forget', {
    headers: known(),
    body: { file: join(outside, 'a.contexture') },
  });
  assert.equal(forget.status, 403);
});

test('a caller that goes away in the midst leaves nothing running', async () => {
  const least = running.service.hub.listeners;
  const stream = await open({ port }, 'GET', '/api/events', { headers: known() });
  assert.equal(running.service.hub.listeners, least + 1);
  stream.destroy();
  while (running.service.hub.listeners > least) await new Promise((resolve) => setTimeout(resolve, 5));
  // HEAD would open a stream that nobody reads.
  assert.equal((await ask({ port }, 'HEAD', '/api/events', { headers: known() })).status, 404);
  assert.equal(running.service.hub.listeners, least);
});
