// Saved notebooks in VS Code's own view of them. node run.mjs [FOLDER FOR SCREENSHOTS [WHICH ...]], as in: node run.mjs /tmp/seen 11-live
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as playwright from 'playwright-core';
import { Checks, browse, committed, free, outputs, save, screenshots, wait, watched } from '../shared.mjs';

const [folder, ...which] = process.argv.slice(2);
const code = fileURLToPath(new URL('node_modules/code-server/', import.meta.url));
const { version } = JSON.parse(readFileSync(join(code, 'lib/vscode/package.json')));
const home = mkdtempSync(join(tmpdir(), 'nulltext-vscode-')), notebooks = join(home, 'notebooks');
mkdirSync(notebooks);
mkdirSync(join(home, 'data/User'), { recursive: true });
writeFileSync(join(home, 'data/User/settings.json'), JSON.stringify({ 'security.workspace.trust.enabled': false, 'workbench.startupEditor': 'none', 'telemetry.telemetryLevel': 'off' }));
const port = await free();
let server, log = '';

const checks = new Checks(), browser = await browse(playwright);
console.log(`VS Code ${version}, Chromium ${browser.version()}`);
try {
  await start();
  for (const name of ['00-quickstart', '02-why-guidance-breaks-it', '11-live', '12-polyglot'].filter(n => which.length === 0 || which.includes(n))) await saved(name);
} catch (error) {
  checks.that('the checks came to their end', false, error.stack);
} finally {
  await browser.close();
  server.kill();
  await Promise.race([new Promise(ended => server.once('exit', ended)), wait(10_000)]);
  server.kill('SIGKILL');
  rmSync(home, { recursive: true, force: true, maxRetries: 5 });
}
checks.end();

/** On a busy machine it gives itself up after ten seconds: then once more. */
async function start() {
  for (let i = 0; i < 5; i++) {
    server = spawn(process.execPath, [
      join(code, 'out/node/entry.js'), '--bind-addr', `127.0.0.1:${port}`, '--auth', 'none', '--disable-telemetry', '--disable-update-check',
      '--user-data-dir', join(home, 'data'), '--extensions-dir', join(home, 'extensions'), notebooks,
    ], { env: { ...process.env, HOME: home, XDG_CONFIG_HOME: home, XDG_DATA_HOME: home }, stdio: ['ignore', 'pipe', 'pipe'] });
    server.stdout.on('data', part => { log += part; });
    server.stderr.on('data', part => { log += part; });
    for (let k = 0; k < 900 && server.exitCode === null; k++) {
      if (await fetch(`http://127.0.0.1:${port}/healthz`).then(r => r.ok, () => false)) return;
      await wait(100);
    }
  }
  throw new Error(`code-server did not start:\n${log}`);
}

async function saved(chapter) {
  const notebook = committed(`${chapter}.ipynb`), file = `${chapter}.ipynb`;
  save(join(notebooks, file), notebook);
  // High enough for all cells: VS Code makes those that are in view.
  const height = 6000, context = await browser.newContext({ viewport: { width: 1300, height } });
  // The page's own service worker answers for this name; nothing goes out.
  const page = await watched(context, host => host.endsWith('.vscode-resource.vscode-cdn.net'));
  // code-server's own service worker claims every frame below it, and the webview then waits for its own for ever.
  await page.addInitScript(() => {
    const register = navigator.serviceWorker?.register;
    if (register) {
      navigator.serviceWorker.register = function (url, ...rest) {
        return String(url).includes('/_static/') ? Promise.reject(new Error('left out by the checks')) : register.call(this, url, ...rest);
      };
    }
  });
  await page.goto(`http://127.0.0.1:${port}/?folder=${notebooks}`);
  const view = await open(page, file);
  const charts = outputs(notebook).filter(o => o.data?.['application/vnd.plotly.v1+json']).length, pictures = outputs(notebook).filter(o => o.data?.['image/png']).length;
  // Without the positions of an exploration that are kept beside it.
  const seen = () => view.evaluate(() => [...document.querySelectorAll('.output')].filter(o => [...o.querySelectorAll('img')].some(i => i.naturalWidth > 0 && i.offsetParent) || o.querySelector('.nt-plot[data-drawn] .main-svg')).length);
  let count = -1;
  for (let i = 0; i < 60 && count !== pictures; i++) { await wait(1000); count = await seen(); }
  checks.that(`${chapter}: all ${pictures} pictures and charts are seen`, count === pictures, count);
  checks.that(`${chapter}: scripts ran`, await view.locator('[data-live]').count() > 0);
  const drawn = await view.locator('.nt-plot[data-drawn] .main-svg .xy').count() > 0 ? await view.locator('.nt-plot[data-drawn]').count() : 0;
  if (chapter.startsWith('02')) checks.that(`${chapter}: ${charts} charts are drawn by plotly.js`, drawn === charts, drawn);
  await wait(3000);
  await screenshots(page, folder, chapter, height);
  if (chapter.startsWith('11')) {
    await drag(view, page);
    await loopback(view);
  }
  checks.that(`${chapter}: nothing is asked of another machine`, page.strangers.length === 0, page.strangers.join('; '));
  checks.that(`${chapter}: no error on the page`, page.errors.length === 0, page.errors.join('; '));
  await context.close();
}

/** Opens a file of the folder as a notebook. Until its extension for notebooks is there, VS Code refuses, or shows the text: then once more. */
async function open(page, file) {
  const dialog = page.locator('.monaco-dialog-box');
  await page.locator('.explorer-folders-view').getByText(file).waitFor();
  await wait(10_000);
  for (let i = 0; i < 12; i++) {
    await page.locator('.explorer-folders-view').getByText(file).dblclick();
    const found = await page.locator('.cell-list-container .monaco-list-row').first().waitFor({ timeout: 60000, state: 'attached' }).then(() => true, () => false);
    if (found) break;
    if (await dialog.count() > 0) await page.keyboard.press('Escape');
    const tab = page.locator('.tab').filter({ hasText: file });
    if (await tab.count() > 0) await tab.click({ button: 'middle' });
    await wait(5000);
  }
  for (let i = 0; i < 120; i++) {
    for (const frame of page.frames()) if (await frame.locator('.output').count().catch(() => 0) > 0 && frame !== page.mainFrame()) return frame;
    await wait(500);
  }
  if (folder) await page.screenshot({ path: join(folder, 'failed.png') });
  throw new Error(`VS Code shows no outputs of ${file}`);
}

async function drag(view, page) {
  const box = view.locator('.nt-view:has(input[type=range])').first(), picture = box.locator('.nt-shown'), range = box.locator('input[type=range]').first();
  const before = await picture.getAttribute('src'), area = await range.boundingBox(), middle = area.y + area.height / 2;
  const back = (await range.inputValue()) !== (await range.getAttribute('min') ?? '0');
  await page.mouse.move(area.x + area.width / 2, middle);
  await page.mouse.down();
  await page.mouse.move(area.x + (back ? 4 : area.width - 4), middle, { steps: 12 });
  await page.mouse.up();
  await wait(500);
  checks.that('the slider is dragged: another picture is shown', before !== await picture.getAttribute('src'));
}

/** Whether a script of an output may talk to a program on this machine. */
async function loopback(view) {
  const program = http.createServer((request, response) => response.writeHead(200, { 'access-control-allow-origin': '*' }).end('here'));
  await new Promise(listening => program.listen(0, '127.0.0.1', listening));
  const url = `http://127.0.0.1:${program.address().port}`;
  const policy = await view.evaluate(() => document.querySelector('meta[http-equiv="Content-Security-Policy"]')?.content ?? 'none');
  const answer = await view.evaluate(u => fetch(u).then(r => r.text(), e => e.message), url);
  console.log(`       Content-Security-Policy of the outputs: ${policy}`);
  checks.that('an output may fetch from 127.0.0.1', answer === 'here', answer);
  program.closeAllConnections();
  program.close();
}
