// What the checks of both front ends share: a list of checks, a browser, notebooks made small.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../../', import.meta.url));
export const committed = name => JSON.parse(readFileSync(join(root, 'notebooks', name), 'utf8'));
export const save = (path, notebook) => writeFileSync(path, JSON.stringify(notebook, null, 1));
export const outputs = notebook => notebook.cells.flatMap(cell => cell.outputs ?? []);

export const wait = ms => new Promise(done => setTimeout(done, ms));

export const free = () => new Promise(done => {
  const probe = net.createServer().listen(0, '127.0.0.1', () => { const { port } = probe.address(); probe.close(() => done(port)); });
});

export class Checks {
  passed = 0;
  failed = 0;

  that(what, holds, found = '') {
    if (holds) this.passed++; else this.failed++;
    console.log(`${holds ? 'ok    ' : 'FAILED'} ${what}${found === '' || holds ? '' : `: ${found}`}`);
  }

  /** Waits for something on the page; a failed check where it does not come. */
  async comes(what, waiting) {
    try { await waiting; this.that(what, true); } catch (error) { this.that(what, false, error.message.split('\n')[0]); }
  }

  end() {
    console.log(`${this.passed} passed, ${this.failed} failed`);
    process.exitCode = this.failed === 0 && this.passed > 0 ? 0 : 1;
  }
}

export async function browse(playwright) {
  return playwright.chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-dev-shm-usage'],
  });
}

/** A page that keeps what goes wrong on it and what it asks of others than this machine. */
export async function watched(context, allowed = () => false) {
  const page = await context.newPage();
  const errors = [], strangers = [];
  page.on('pageerror', error => errors.push(error.message));
  page.on('request', request => {
    const { protocol, hostname } = new URL(request.url());
    if (!['data:', 'blob:', 'about:', 'vscode-webview:'].includes(protocol) && !['127.0.0.1', 'localhost'].includes(hostname) && !allowed(hostname)) strangers.push(request.url().slice(0, 120));
  });
  page.setDefaultTimeout(120_000);
  return Object.assign(page, { errors, strangers });
}

/** The notebook without outputs, with other parameters. */
export function small(notebook, parameters) {
  const cells = notebook.cells.flatMap(cell => {
    const copy = cell.cell_type === 'code' ? { ...cell, outputs: [], execution_count: null } : cell;
    if (!cell.metadata.tags?.includes('parameters')) return [copy];
    return [copy, code(Object.entries(parameters).map(([name, value]) => `${name} = ${value};`).join('\n'))];
  });
  return { ...notebook, cells };
}

export const code = source => ({ cell_type: 'code', execution_count: null, metadata: {}, outputs: [], source });

/** The whole page in pieces that can be looked at. */
export async function screenshots(page, folder, name, height, piece = 1500) {
  if (!folder) return;
  mkdirSync(folder, { recursive: true });
  const { width } = page.viewportSize();
  for (let y = 0, i = 1; y < height; y += piece, i++) {
    await page.screenshot({ path: join(folder, `${name}-${i}.png`), clip: { x: 0, y, width, height: Math.min(piece, height - y) } });
  }
}
