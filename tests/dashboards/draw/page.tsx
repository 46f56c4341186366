// page.tsx: one dashboard, from ?dashboard=, ?prometheus=, ?from=, ?to=, in
// ?theme= (dark, light) and ?width= pixels.
// window.report says what each panel shows when everything is drawn.
import { applyFieldOverrides, cacheFieldDisplayNames, createTheme, dateTime,
  FieldConfigOptionsRegistry, standardFieldConfigEditorRegistry,
  standardTransformers } from '@grafana/data';
import { GlobalStyles, PanelChrome, ThemeContext } from '@grafana/ui';
import React from 'react';
import { createRoot } from 'react-dom/client';
import { Panel } from './panels';
import { frames, standardTransformersRegistry } from './query';

const ROW = 34, NARROW = 769;
const args = new URLSearchParams(location.search);
const WIDTH = Number(args.get('width') ?? 1500);
const range = { from: Number(args.get('from')), to: Number(args.get('to')) };
const from = dateTime(range.from), to = dateTime(range.to);
const timeRange: any = { from, to, raw: { from, to } };
const theme = createTheme({ colors: {
  mode: args.get('theme') === 'light' ? 'light' : 'dark' } });
document.body.style.color = theme.colors.text.primary;
document.body.style.background = theme.colors.background.canvas;
const report: any = { panels: [], errors: [] };

// Grafana registers the fields of the field configuration in its core, which
// is not published; the values are taken as they are.
const property = (id: string, isCustom: boolean): any => ({
  id: (isCustom ? 'custom.' : '') + id, path: id, name: id, isCustom,
  editor: () => null, override: () => null, process: (v: any) => v,
  shouldApply: () => true, settings: {} });
const STANDARD = ['unit', 'min', 'max', 'decimals', 'displayName', 'noValue',
  'color', 'thresholds', 'mappings', 'links', 'description', 'filterable'];
const CUSTOM = ['drawStyle', 'lineInterpolation', 'lineWidth', 'fillOpacity',
  'spanNulls', 'showPoints', 'axisPlacement', 'axisSoftMax', 'hideFrom',
  'align', 'cellOptions', 'width', 'minWidth', 'filterable'];
const standard = () => STANDARD.map((id) => property(id, false));
standardFieldConfigEditorRegistry.setInit(standard);
// One may have several names there.
const transformers = new Map(Object.values(standardTransformers as any)
  .map((t: any) => [t.id, { id: t.id, name: t.name, transformation: t,
    editor: () => null } as any]));
standardTransformersRegistry.setInit(() => [...transformers.values()]);
const registry = new FieldConfigOptionsRegistry(() =>
  [...standard(), ...CUSTOM.map((id) => property(id, true))]);

class Guard extends React.Component<any, { error?: Error }> {
  state: { error?: Error } = {};
  static getDerivedStateFromError(error: Error) { return { error }; }
  componentDidCatch(error: Error) {
    report.errors.push(`${this.props.title}: ${error.message}`);
  }
  render() {
    return this.state.error ? String(this.state.error)
      : this.props.children;
  }
}

async function load(url: string, panel: any) {
  try {
    const found = await frames(url, panel, range);
    const values = found.flatMap((f) => f.fields.slice(1)
      .flatMap((field) => [...field.values]));
    report.panels.push({ id: panel.id, title: panel.title,
      frames: found.length,
      values: values.filter((v) => v !== null && v !== '').length });
    const shown = applyFieldOverrides({ data: found, theme, timeZone: 'utc',
      fieldConfig: panel.fieldConfig, fieldConfigRegistry: registry,
      replaceVariables: (s: string) => s });
    cacheFieldDisplayNames(shown); // or a line and its legend may differ
    return shown;
  } catch (error: any) {
    report.errors.push(`${panel.title}: ${error.message}`);
    return [];
  }
}

// As Grafana does on a phone: one panel below the other, over the whole width.
function stacked(panels: any[]) {
  let y = 0;
  return [...panels].sort((a, b) =>
    a.gridPos.y - b.gridPos.y || a.gridPos.x - b.gridPos.x).map((panel) => {
    const gridPos = { ...panel.gridPos, x: 0, w: 24, y };
    y += gridPos.h;
    return { ...panel, gridPos };
  });
}

function Place({ panel, data }: any) {
  const g = panel.gridPos, column = WIDTH / 24;
  const style = { position: 'absolute', left: g.x * column, top: g.y * ROW,
    width: g.w * column - 8, height: g.h * ROW - 8 } as const;
  if (panel.type === 'row')
    return <h5 style={{ ...style, margin: '6px 4px' }}>{panel.title}</h5>;
  return <div style={style}><Guard title={panel.title}>
    <PanelChrome title={panel.title} width={style.width}
      height={style.height}>{(width: number, height: number) =>
        <Panel panel={panel} frames={data} width={width} height={height}
          theme={theme} timeRange={timeRange} range={range} />}
    </PanelChrome></Guard></div>;
}

async function main() {
  const board = await (await fetch(args.get('dashboard')!)).json();
  if (WIDTH < NARROW) board.panels = stacked(board.panels);
  const data = await Promise.all(board.panels.map((p: any) =>
    p.type === 'row' ? [] : load(args.get('prometheus')!, p)));
  const height = ROW * Math.max(...board.panels.map((p: any) =>
    p.gridPos.y + p.gridPos.h));
  createRoot(document.getElementById('root')!).render(
    <ThemeContext.Provider value={theme}>
      <GlobalStyles hackNoBackdropBlur={true} isExtensionSidebarOpen={false} />
      <div style={{ position: 'relative', width: WIDTH, height,
        background: theme.colors.background.canvas }}>
        {board.panels.map((p: any, i: number) =>
          <Place key={p.id} panel={p} data={data[i]} />)}
      </div></ThemeContext.Provider>);
}

main().catch((e) => report.errors.push(String(e.stack))).finally(() => {
  (window as any).report = report;
  // Two frames after the last change of size, everything is on the page.
  let quiet: any;
  const done = () => { document.body.dataset.done = 'yes'; };
  const wait = () => { clearTimeout(quiet); quiet = setTimeout(done, 1000); };
  new MutationObserver(wait).observe(document.body,
    { childList: true, subtree: true, attributes: true,
      attributeFilter: ['style', 'width', 'height'] });
  wait();
});
