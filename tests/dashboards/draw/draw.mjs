// draw.mjs PROMETHEUS FROM TO DASHBOARD PICTURE [DASHBOARD PICTURE]...
//
// Draws dashboards from a live Prometheus (times in ms) in headless Chromium:
// PICTURE, and beside it -light, -phone and -deuteranopia (what a person with
// red-green blindness sees). One JSON line per picture says what each panel
// shows.
import * as esbuild from 'esbuild';
import fs from 'node:fs';
import http from 'node:http';
import puppeteer from 'puppeteer-core';

const DEBUG = Boolean(process.env.DEBUG); // React's full messages
const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
const LOOKS = [{ name: '' }, { name: '-light', theme: 'light' },
  { name: '-phone', width: 412 }, { name: '-deuteranopia', blind: true }];
const HTML = '<!doctype html><meta charset="utf-8">' +
  '<body style="margin:0;background:#111217;color:#ccccdc">' +
  '<link rel="stylesheet" href="/page.css"><div id="root"></div>' +
  '<script src="/page.js"></script>';

const [prometheus, from, to, ...pairs] = process.argv.slice(2);
const inline = ['.svg', '.png', '.woff', '.woff2', '.ttf'];
await esbuild.build({
  entryPoints: ['page.tsx'], bundle: true, outfile: 'out/page.js',
  format: 'iife', platform: 'browser', jsx: 'automatic', minify: !DEBUG,
  logLevel: 'error', mainFields: ['browser', 'module', 'main'],
  define: { 'process.env.NODE_ENV': DEBUG ? '"development"' : '"production"',
    'process.env': '{}', global: 'window' },
  alias: { 'react-custom-scrollbars-2': './scrollbars.ts' },
  loader: Object.fromEntries(inline.map((e) => [e, 'dataurl'])),
});

const files = { '/': ['text/html', () => HTML],
  '/page.js': ['text/javascript', () => fs.readFileSync('out/page.js')],
  '/page.css': ['text/css', () => fs.readFileSync('out/page.css')] };
pairs.forEach((file, i) => {
  if (i % 2 === 0)
    files[`/${i}.json`] = ['application/json', () => fs.readFileSync(file)];
});
const server = http.createServer((request, reply) => {
  const file = files[new URL(request.url, 'http://localhost').pathname];
  reply.writeHead(file ? 200 : 404, { 'content-type': file?.[0] ?? '' });
  reply.end(file?.[1]());
});
await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
const base = `http://127.0.0.1:${server.address().port}`;

const browser = await puppeteer.launch({ executablePath: CHROMIUM,
  headless: true, args: ['--no-sandbox', '--disable-gpu',
    '--disable-dev-shm-usage'] });
async function picture(i, look) {
  const page = await browser.newPage();
  const faults = [], width = look.width ?? 1500;
  const file = pairs[i + 1].replace(/(?=[.]png$)/, look.name);
  page.on('pageerror', (e) => faults.push(e.message));
  await page.setViewport({ width, height: 900 });
  if (look.blind) await page.emulateVisionDeficiency('deuteranopia');
  const query = new URLSearchParams({ dashboard: `/${i}.json`, prometheus,
    from, to, theme: look.theme ?? 'dark', width });
  await page.goto(`${base}/?${query}`);
  await page.waitForFunction('document.body.dataset.done', {
    timeout: 60000 });
  await page.screenshot({ path: file, fullPage: true });
  const report = await page.evaluate('window.report');
  console.log(JSON.stringify({ ...report,
    errors: [...report.errors, ...faults], picture: file }));
  await page.close();
}

try {
  for (let i = 0; i < pairs.length; i += 2)
    for (const look of LOOKS) await picture(i, look);
} finally {
  await browser.close();
  server.close();
}
