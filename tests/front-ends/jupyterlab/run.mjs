// Notebooks in JupyterLab, run and as saved. node run.mjs [FOLDER FOR SCREENSHOTS]
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as playwright from 'playwright-core';
import { Checks, browse, code, committed, outputs, save, screenshots, small, watched } from '../shared.mjs';
import { start } from './server.mjs';

const folder = process.argv[2];
const checks = new Checks(), lab = await start(), browser = await browse(playwright);
console.log(`JupyterLab ${lab.version}, Chromium ${browser.version()}`);

try {
  await languages();
  await live(false);
  await live(true);
  for (const name of ['00-quickstart', '02-why-guidance-breaks-it', '11-live', '12-polyglot']) {
    await saved(name, false);
    await saved(name, true);
  }
} catch (error) {
  checks.that('the checks came to their end', false, error.stack);
  if (folder) writeFileSync(join(folder, 'jupyter-server.log'), lab.log());
} finally {
  await browser.close();
  await lab.stop();
}
checks.end();

async function languages() {
  const notebook = small(committed('12-polyglot.ipynb'), { steps: 4, innerSteps: 1 });
  // The library of charts that is drawn by script, which the committed notebook leaves out.
  for (const cell of notebook.cells) cell.source = [cell.source].flat().join('').replace('LoadPlotly = false', 'LoadPlotly = true');
  const added = {
    mermaid: '#!mermaid\ngraph LR\n  picture --> noise --> edit',
    markdown: '#!markdown\n**strong** and $x^2$',
    html: '#!html\n<b class="nt-seen">html</b>',
    javascript: '#!javascript\ndocument.body.dataset.ntScript = String(6 * 7);',
    fsharp: '#!fsharp\nprintfn "F# %d" (List.sum [1 .. 4])',
    python: '#!python\nprint("Python", values[0] == z.ravel()[0])',
    csharp: 'Console.WriteLine($"C# {moved.Length}");',
  };
  const first = notebook.cells.length, at = name => page.locator('.jp-Cell').nth(first + Object.keys(added).indexOf(name)).locator('.jp-OutputArea-output');
  notebook.cells.push(...Object.values(added).map(code));
  save(join(lab.notebooks, 'languages.ipynb'), notebook);
  const page = await open('languages.ipynb');
  await run(page);

  const charts = outputs(committed('12-polyglot.ipynb')).filter(o => o.data?.['application/vnd.plotly.v1+json']).length;
  await checks.comes('languages: the chart of F# is drawn by plotly.js', page.waitForFunction(n => document.querySelectorAll('.nt-plot[data-drawn]').length === n && document.querySelector('.nt-plot[data-drawn] .main-svg .xy path'), charts));
  checks.that('languages: the figure of Python is there', await page.locator('.jp-RenderedImage img').count() === 1);
  checks.that('languages: the result of Python is there', /'mean':/.test(await page.locator('.jp-Notebook').innerText()));
  await pictures('languages', page);
  // By JupyterLab itself, which puts the drawing in another renderer's place once it has it, or as the picture beside it.
  await checks.comes('languages: mermaid is drawn', at('mermaid').locator('img, svg').first().waitFor());
  await checks.comes('languages: markdown', at('markdown').locator('strong').waitFor());
  await checks.comes('languages: mathematics in it', at('markdown').locator('mjx-container').waitFor());
  await checks.comes('languages: html', at('html').locator('b.nt-seen').waitFor());
  checks.that('languages: javascript ran', await page.evaluate(() => document.body.dataset.ntScript) === '42');
  for (const [name, text] of [['fsharp', 'F# 10'], ['python', 'Python True'], ['csharp', 'C# 4']]) {
    const seen = await at(name).allInnerTexts();
    checks.that(`languages: ${name} printed`, seen.join().includes(text), seen.join());
  }
  await close('languages', page);
}

async function live(exposed) {
  const name = exposed ? 'live, application exposed' : 'live';
  lab.expose = exposed;
  save(join(lab.notebooks, 'live.ipynb'), small(committed('11-live.ipynb'), { steps: 4, innerSteps: 1, ahead: 2, scales: '[1, 2, 3, 4, 5, 6, 7.5]' }));
  const page = await open('live.ipynb');
  checks.that(`${name}: window.jupyterapp is ${exposed ? '' : 'not '}there`, await page.evaluate(() => !!window.jupyterapp) === exposed);
  await run(page);
  await pictures(name, page);
  const cell = page.locator('.jp-Cell').filter({ hasText: 'var guidance' }), picture = cell.locator('.nt-shown'), range = cell.locator('input[type=range]');
  await picture.waitFor();
  checks.that(`${name}: three explorations have sliders`, await page.locator('.jp-Cell:has(.nt-shown)').count() === 3);
  const before = await picture.getAttribute('src'), value = await cell.locator('.nt-bar output').textContent();
  await range.scrollIntoViewIfNeeded();
  const box = await range.boundingBox(), middle = box.y + box.height / 2;
  // To a position that nobody has computed yet: exposed, the page asks by a comm, else by the kernel's own socket.
  const [to, said] = [0.5, '4'];
  await page.mouse.move(box.x + (value === '1' ? 8 : box.width - 8), middle);
  await page.mouse.down();
  await page.mouse.move(box.x + 4 + to * (box.width - 8), middle, { steps: 12 });
  await page.mouse.up();
  await checks.comes(`${name}: dragged, the kernel computes`, cell.getByText('computed in').waitFor());
  const stands = await cell.locator('.nt-bar output').innerText();
  checks.that(`${name}: the slider stands at ${said}`, stands === said, stands);
  checks.that(`${name}: another picture is shown`, before !== await picture.getAttribute('src'));
  await range.press('ArrowRight');
  await checks.comes(`${name}: by the keyboard too`, page.waitForFunction(e => /^computed in/.test(e.querySelector('.nt-note[aria-live]').textContent) && e.querySelector('.nt-bar output').textContent === '5', await cell.elementHandle()));
  await close(name, page);
  lab.expose = false;
}

async function saved(chapter, trusted) {
  const name = `${chapter}, ${trusted ? 'trusted' : 'not trusted'}`, notebook = committed(`${chapter}.ipynb`);
  const path = `${chapter}-${trusted}.ipynb`;
  save(join(lab.notebooks, path), notebook);
  if (trusted) await fetch(`${lab.url}/api/contents/${path}/trust`, { method: 'POST' });
  const page = await open(path);
  // Where no script hides them, the kept positions of an exploration are pictures too.
  const withPicture = outputs(notebook).filter(o => o.data?.['image/png'] || (!trusted && /<img/.test([o.data?.['text/html']].flat().join('')))).length;
  const charts = outputs(notebook).filter(o => o.data?.['application/vnd.plotly.v1+json']).length;
  if (trusted) {
    await checks.comes(`${name}: scripts ran`, page.waitForFunction(() => document.querySelector('[data-live]')));
    if (/^(00|11|12)/.test(chapter)) checks.that(`${name}: no plotly.js in it`, await page.locator('[data-drawn]').count() === 0);
    else await checks.comes(`${name}: ${charts} charts are drawn by plotly.js`, page.waitForFunction(n => document.querySelectorAll('.nt-plot[data-drawn]').length === n && document.querySelector('.nt-plot[data-drawn] .main-svg .xy path'), charts));
  } else {
    checks.that(`${name}: no script ran`, await page.locator('[data-live], [data-drawn], .jp-OutputArea-output script').count() === 0);
  }
  const seen = () => page.evaluate(() => [...document.querySelectorAll('.jp-OutputArea-output')].filter(o => [...o.querySelectorAll('img')].some(i => i.naturalWidth > 0 && i.offsetParent) || o.querySelector('.nt-plot[data-drawn] .main-svg')).length);
  await page.waitForFunction(() => [...document.querySelectorAll('.jp-OutputArea-output img')].every(i => i.complete)).catch(() => {});
  checks.that(`${name}: all ${withPicture} pictures and charts are seen`, await seen() === withPicture, await seen());
  await close(name, page);
}

async function open(path) {
  const context = await browser.newContext({ viewport: { width: 1300, height: 1000 } });
  const page = await watched(context);
  await page.goto(`${lab.url}/lab/tree/${path}`);
  await page.waitForSelector('html[data-ready]', { state: 'attached', timeout: 120_000 });
  await page.locator('.jp-Notebook .jp-Cell').first().waitFor();
  // The kernel, and with it the toolbar's name for it, comes last.
  await page.locator('.jp-Toolbar-kernelName').getByText('.NET (C#)').waitFor();
  await page.locator('.jp-NotebookPanel-toolbar [data-status=idle], .jp-Notebook-ExecutionIndicator[data-status=idle]').first().waitFor();
  return page;
}

/** Run, Run All Cells; waits until every cell has its number. */
async function run(page) {
  await page.locator('.lm-MenuBar-itemLabel').getByText('Run', { exact: true }).click();
  await page.locator('.lm-Menu-itemLabel').getByText('Run All Cells', { exact: true }).click();
  await page.waitForFunction(() => [...document.querySelectorAll('.jp-CodeCell')].every(c => /\[\d+\]/.test(c.querySelector('.jp-InputPrompt').textContent) || c.querySelector('.cm-content').textContent === '')
    || document.querySelector('[data-mime-type="application/vnd.jupyter.error"]'), null, { timeout: 300_000 });
  await page.locator('.jp-Notebook-ExecutionIndicator[data-status=idle]').first().waitFor();
}

async function pictures(name, page) {
  checks.that(`${name}: every picture is loaded`, await page.evaluate(() => [...document.querySelectorAll('.jp-OutputArea-output img')].every(i => i.complete && i.naturalWidth > 0)));
}

async function close(name, page) {
  const errors = await page.locator('[data-mime-type="application/vnd.jupyter.error"], [data-mime-type="application/vnd.jupyter.stderr"]').allInnerTexts();
  checks.that(`${name}: no cell failed`, errors.length === 0, errors.join().slice(0, 300));
  checks.that(`${name}: no error on the page`, page.errors.length === 0, page.errors.join('; '));
  checks.that(`${name}: nothing is asked of another machine`, page.strangers.length === 0, page.strangers.join('; '));
  if (folder) {
    // Cells out of view are not laid out otherwise, and have no height.
    await page.addStyleTag({ content: '.jp-Cell { content-visibility: visible !important; }' });
    await page.evaluate(() => document.querySelector('.jp-WindowedPanel-outer').scrollTo(0, 0));
    const height = Math.min(14_000, 200 + await page.evaluate(() => document.querySelector('.jp-WindowedPanel-outer').scrollHeight));
    await page.setViewportSize({ width: 1300, height });
    await page.waitForTimeout(1500);
    await screenshots(page, folder, name.replace(/[^a-z0-9]+/gi, '-'), height);
  }
  await page.context().close();
}
