// JupyterLab's page, with what jupyterlab_server answers for it; all else goes to a jupyter-server with our kernel, in folders of its own.
import { spawn, spawnSync } from 'node:child_process';
import { createReadStream, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { free, root, wait } from '../shared.mjs';

const dist = fileURLToPath(new URL('dist/', import.meta.url));
const types = { '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.png': 'image/png', '.woff': 'font/woff', '.woff2': 'font/woff2', '.ttf': 'font/ttf' };
const { version } = JSON.parse(readFileSync(new URL('node_modules/@jupyterlab/application-extension/package.json', import.meta.url)));

export async function start() {
  const nulltext = join(root, 'src/NullTextResearch.Cli/bin/Release/net10.0/nulltext.dll');
  if (!existsSync(nulltext)) throw new Error(`${nulltext} is missing: dotnet build -c Release`);
  if (!existsSync(join(dist, 'app.js'))) throw new Error('The bundle is missing: npm run build');
  const folder = mkdtempSync(join(tmpdir(), 'nulltext-jupyterlab-'));
  const notebooks = join(folder, 'notebooks'), data = join(folder, 'data');
  mkdirSync(notebooks);
  const env = {
    ...process.env, JUPYTER_DATA_DIR: data, JUPYTER_CONFIG_DIR: join(folder, 'config'), JUPYTER_RUNTIME_DIR: join(folder, 'runtime'), IPYTHONDIR: join(folder, 'ipython'),
    JUPYTER_PLATFORM_DIRS: '0', PYDEVD_DISABLE_FILE_VALIDATION: '1', PYTHONWARNINGS: 'ignore', NULLTEXT_THREADS: '1',
  };
  const installed = spawnSync('dotnet', [nulltext, 'notebook', 'install'], { env, encoding: 'utf8' });
  if (installed.status !== 0) throw new Error(installed.stderr || installed.stdout);

  const port = await free();
  const jupyter = spawn('jupyter-server', [
    '--no-browser', '--allow-root', '--ip=127.0.0.1', `--port=${port}`, '--ServerApp.port_retries=0', `--ServerApp.root_dir=${notebooks}`,
    '--ServerApp.token=', '--ServerApp.password=', '--ServerApp.disable_check_xsrf=True',
  ], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let log = '';
  jupyter.stdout.on('data', part => { log += part; });
  jupyter.stderr.on('data', part => { log += part; });
  jupyter.on('error', error => { log += error.message; });

  const lab = { url: '', notebooks, expose: false, version, log: () => log };
  const pages = http.createServer((request, response) => answer(lab, port, request, response));
  pages.on('upgrade', (request, socket, head) => tunnel(port, request, socket, head));
  await new Promise(listening => pages.listen(0, '127.0.0.1', listening));
  lab.url = `http://127.0.0.1:${pages.address().port}`;
  lab.stop = async () => {
    // Asked first: then it ends its kernels too.
    await fetch(`http://127.0.0.1:${port}/api/shutdown`, { method: 'POST' }).catch(() => {});
    for (let i = 0; i < 150 && jupyter.exitCode === null; i++) await wait(100);
    jupyter.kill('SIGKILL');
    pages.closeAllConnections();
    pages.close();
    rmSync(folder, { recursive: true, force: true });
  };
  for (let i = 0; ; i++) {
    if (await fetch(`http://127.0.0.1:${port}/api`).then(r => r.ok, () => false)) break;
    if (i > 900 || jupyter.exitCode !== null) { await lab.stop(); throw new Error(`jupyter-server did not start:\n${log}`); }
    await wait(100);
  }
  return lab;
}

function answer(lab, port, request, response) {
  const { pathname } = new URL(request.url, 'http://localhost'), settings = () => JSON.parse(readFileSync(join(dist, 'settings.json')));
  const json = value => response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value));
  const rest = start => decodeURIComponent(pathname.slice(start.length));
  if (pathname.startsWith('/lab/api/') && request.method !== 'GET') return request.resume().on('end', () => response.writeHead(204).end());
  if (pathname === '/lab/api/settings' || pathname === '/lab/api/settings/') return json({ settings: settings() });
  if (pathname.startsWith('/lab/api/settings/')) {
    const found = settings().find(s => s.id === rest('/lab/api/settings/'));
    return found ? json(found) : response.writeHead(404).end();
  }
  if (pathname.startsWith('/lab/api/workspaces/')) return json({ data: {}, metadata: { id: rest('/lab/api/workspaces/') || 'default' } });
  if (pathname.startsWith('/lab/api/workspaces')) return json({ workspaces: { ids: [], values: [] } });
  if (pathname.startsWith('/lab/api/translations')) return json({ data: pathname.endsWith('translations') || pathname.endsWith('/') ? { en: { displayName: 'English', nativeName: 'English' } } : {}, message: '' });
  if (pathname.startsWith('/lab/api/themes/')) return file(response, join('themes', rest('/lab/api/themes/')));
  if (pathname.startsWith('/static/lab/')) return file(response, rest('/static/lab/'));
  if (pathname === '/lab' || pathname.startsWith('/lab/')) return response.writeHead(200, { 'content-type': 'text/html' }).end(page(lab, rest('/lab/tree/')));
  const onward = http.request({ host: '127.0.0.1', port, path: request.url, method: request.method, headers: request.headers }, reply => {
    response.writeHead(reply.statusCode, reply.headers);
    reply.pipe(response);
  });
  onward.on('error', () => response.destroy());
  request.pipe(onward);
}

function file(response, path) {
  const full = join(dist, normalize('/' + path));
  if (!existsSync(full)) return response.writeHead(404).end();
  response.writeHead(200, { 'content-type': types[extname(full)] ?? 'application/octet-stream' });
  createReadStream(full).pipe(response);
}

function tunnel(port, request, socket, head) {
  const onward = net.connect(port, '127.0.0.1', () => {
    const lines = request.rawHeaders.map((text, i) => (i % 2 === 0 ? `${text}: ` : `${text}\r\n`)).join('');
    onward.write(`${request.method} ${request.url} HTTP/1.1\r\n${lines}\r\n`);
    onward.write(head);
    onward.pipe(socket).pipe(onward);
  });
  onward.on('error', () => socket.destroy());
  socket.on('error', () => onward.destroy());
}

function page(lab, tree) {
  const config = {
    appName: 'JupyterLab', appNamespace: 'lab', appVersion: lab.version, appUrl: '/lab', baseUrl: '/', wsUrl: '', treeUrl: '/lab/tree', treePath: tree, workspacesUrl: '/lab/workspaces',
    settingsUrl: '/lab/api/settings', themesUrl: '/lab/api/themes', translationsApiUrl: '/lab/api/translations', workspacesApiUrl: '/lab/api/workspaces', listingsUrl: '/lab/api/listings',
    staticUrl: '/static/lab', fullStaticUrl: '/static/lab', fullAppUrl: '/lab', fullThemesUrl: '/lab/api/themes', fullSettingsUrl: '/lab/api/settings', fullWorkspacesApiUrl: '/lab/api/workspaces',
    mode: 'single-document', workspace: 'default', terminalsAvailable: 'false', exposeAppInBrowser: String(lab.expose), serverRoot: lab.notebooks,
  };
  return `<!DOCTYPE html><html><head><meta charset="utf-8"><title>JupyterLab</title><link rel="icon" href="data:,">
<script id="jupyter-config-data" type="application/json">${JSON.stringify(config).replaceAll('<', '\\u003c')}</script>
<link rel="stylesheet" href="/static/lab/app.css"><script type="module" src="/static/lab/app.js"></script></head><body></body></html>`;
}
