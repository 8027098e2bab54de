// Bundles JupyterLab with the extensions that package.json names into dist/.
import { readFile, rm, writeFile } from 'node:fs/promises';
import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as esbuild from 'esbuild';

const here = dirname(fileURLToPath(import.meta.url)), dist = join(here, 'dist');
const folder = name => join(here, 'node_modules', name);
const read = async path => JSON.parse(await readFile(path, 'utf8'));

const names = Object.keys((await read(join(here, 'package.json'))).dependencies);
const packages = (await Promise.all(names.map(name => read(join(folder(name), 'package.json'))))).filter(p => p.jupyterlab);

const lines = ['export const extensions = [], mimeExtensions = [];'];
packages.forEach((p, i) => {
  if (p.styleModule) lines.push(`import '${p.name}/${p.styleModule}';`);
  for (const kind of ['extension', 'mimeExtension']) {
    const path = p.jupyterlab[kind];
    if (!path) continue;
    lines.push(`import * as ${kind}${i} from '${p.name}${path === true ? '' : '/' + path}';`, `${kind}s.push(${kind}${i});`);
  }
});

const listed = {
  name: 'listed',
  setup(build) {
    build.onResolve({ filter: /^extensions-of-package-json$/ }, () => ({ path: 'extensions', namespace: 'listed' }));
    build.onLoad({ filter: /.*/, namespace: 'listed' }, () => ({ contents: lines.join('\n'), resolveDir: here }));
    build.onResolve({ filter: /^~/ }, ({ path, kind, resolveDir }) => build.resolve(path.slice(1), { kind, resolveDir }));
    // A script takes an icon as text, a style sheet as a file.
    build.onResolve({ filter: /\.svg$/ }, async ({ path, kind, resolveDir, pluginData }) => {
      if (pluginData === 'asked' || kind === 'url-token') return;
      const found = await build.resolve(path, { kind, resolveDir, pluginData: 'asked' });
      return { path: found.path, namespace: 'icon' };
    });
    build.onLoad({ filter: /.*/, namespace: 'icon' }, async ({ path }) => ({ contents: await readFile(path, 'utf8'), loader: 'text' }));
  },
};

const common = {
  bundle: true, logLevel: 'error', absWorkingDir: here, assetNames: 'assets/[name]-[hash]',
  loader: { '.svg': 'file', '.png': 'file', '.gif': 'file', '.woff': 'file', '.woff2': 'file', '.ttf': 'file', '.eot': 'file' },
};
await rm(dist, { recursive: true, force: true });
await esbuild.build({
  ...common, entryPoints: { app: 'app.js' }, outdir: dist, format: 'esm', target: 'es2022', plugins: [listed],
  // One yjs, whether it is imported or required.
  alias: { path: 'path-browserify', yjs: join(folder('yjs'), 'dist/yjs.mjs') }, define: { global: 'globalThis', __dirname: '"/"', 'process.env.NODE_ENV': '"production"' },
  banner: { js: 'globalThis.process ??= { env: {} };' },
});
for (const p of packages.filter(p => p.jupyterlab.themePath)) {
  await esbuild.build({ ...common, entryPoints: { index: join(folder(p.name), p.jupyterlab.themePath) }, outdir: join(dist, 'themes', p.name) });
}

// What jupyterlab_server answers for settings: those of the packages, without the question about news.
const settings = [], own = { '@jupyterlab/apputils-extension:notification': { fetchNews: 'false', checkForUpdates: false } };
for (const p of packages.filter(p => p.jupyterlab.schemaDir)) {
  const schemas = join(folder(p.name), p.jupyterlab.schemaDir);
  for (const file of readdirSync(schemas).filter(f => f.endsWith('.json'))) {
    const id = `${p.name}:${file.slice(0, -5)}`, set = own[id] ?? {};
    settings.push({ id, raw: JSON.stringify(set), schema: await read(join(schemas, file)), settings: set, version: p.version, created: null, last_modified: null, warning: null });
  }
}
await writeFile(join(dist, 'settings.json'), JSON.stringify(settings));
console.log(`${packages.length} extensions, ${settings.length} settings`);
