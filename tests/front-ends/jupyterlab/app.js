// JupyterLab as its own entry point makes it: all plugins registered, the service manager resolved, the application started.
import { JupyterLab } from '@jupyterlab/application';
import { PageConfig } from '@jupyterlab/coreutils';
import { IServiceManager } from '@jupyterlab/services';
import { PluginRegistry } from '@lumino/coreutils';
import { extensions, mimeExtensions } from 'extensions-of-package-json';

const content = module => { const value = module.default?.default ?? module.default; return Array.isArray(value) ? value : [value]; };

const pluginRegistry = new PluginRegistry();
pluginRegistry.registerPlugins(extensions.flatMap(content));
const serviceManager = await pluginRegistry.resolveRequiredService(IServiceManager);
const lab = new JupyterLab({ pluginRegistry, serviceManager, mimeExtensions: mimeExtensions.flatMap(content) });
if (PageConfig.getOption('exposeAppInBrowser') === 'true') window.jupyterapp = lab;
await lab.start({ bubblingKeydown: true });
await lab.restored;
document.documentElement.dataset.ready = 'true';
