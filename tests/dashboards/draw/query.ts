// From a dashboard's queries to Grafana's data frames, by way of Prometheus.
import { DataFrame, FieldType, standardTransformersRegistry,
  toDataFrame, transformDataFrame } from '@grafana/data';
import { lastValueFrom } from 'rxjs';

export interface Range { from: number; to: number } // ms

const SCRAPE_S = 1; // of the test's Prometheus

// What Grafana's variables mean here: every variable is "All".
function expand(expr: string, range: Range, step: number) {
  const values: Record<string, string> = {
    board: '.*', m4: '.*', boards: '50', __interval: `${step}s`,
    __rate_interval: `${Math.max(4 * SCRAPE_S, step + SCRAPE_S)}s`,
    __range: `${Math.round((range.to - range.from) / 1000)}s`,
  };
  return expr.replace(/\$(?:\{(\w+)\}|([a-zA-Z_]\w*))/g, (_, a, b) => {
    const value = values[a ?? b];
    if (value === undefined) throw new Error(`unknown variable $${a ?? b}`);
    return value;
  });
}

const named = (format: string, labels: Record<string, string>) =>
  format.replace(/\{\{(\w+)\}\}/g, (_, name) => labels[name] ?? '');

async function ask(url: string, path: string, args: Record<string, string>) {
  const reply = await fetch(`${url}/api/v1/${path}?` +
    new URLSearchParams(args));
  const body = await reply.json();
  if (body.status !== 'success') throw new Error(body.error);
  return body.data.result as any[];
}

const time = (values: number[]) =>
  ({ name: 'Time', type: FieldType.time, values, config: {} });

function series(target: any, result: any[]): DataFrame[] {
  return result.map((r) => {
    const points: [number, string][] = r.values ?? [r.value];
    const name = named(target.legendFormat, r.metric);
    return toDataFrame({ refId: target.refId, name, fields: [
      time(points.map((p) => p[0] * 1000)),
      { name: 'Value', type: FieldType.number, labels: r.metric,
        values: points.map((p) => Number(p[1])),
        config: { displayNameFromDS: name } }] });
  });
}

// Grafana's table format: a column per label, one row per series.
function table(target: any, many: boolean, result: any[]): DataFrame[] {
  const labels = [...new Set(result.flatMap((r) => Object.keys(r.metric)))];
  return [toDataFrame({ refId: target.refId, fields: [
    time(result.map((r) => r.value[0] * 1000)),
    ...labels.map((l) => ({ name: l, type: FieldType.string, config: {},
      values: result.map((r) => r.metric[l] ?? '') })),
    { name: many ? `Value #${target.refId}` : 'Value',
      type: FieldType.number, config: {},
      values: result.map((r) => Number(r.value[1])) }] })];
}

// Steps have no value between two scrapes that are missing: a gap is drawn.
function gaps(frame: DataFrame, step: number) {
  const [t, v] = frame.fields;
  const times: number[] = [], values: (number | null)[] = [];
  t.values.forEach((at: number, i: number) => {
    if (i > 0 && at - times[times.length - 1] > 1.5 * step * 1000) {
      times.push(at - step * 1000);
      values.push(null);
    }
    times.push(at);
    values.push(v.values[i]);
  });
  t.values = times;
  v.values = values;
  return frame;
}

export async function frames(url: string, panel: any, range: Range) {
  const step = Math.max(1, Math.round((range.to - range.from) / 400000));
  const out: DataFrame[] = [];
  for (const target of panel.targets) {
    const query = expand(target.expr, range, step);
    if (target.instant) {
      const found = await ask(url, 'query',
        { query, time: String(range.to / 1000) });
      out.push(...(target.format === 'table'
        ? table(target, panel.targets.length > 1, found)
        : series(target, found)));
    } else {
      const found = await ask(url, 'query_range', { query,
        start: String(range.from / 1000), end: String(range.to / 1000),
        step: String(step) });
      out.push(...series(target, found).map((f) => gaps(f, step)));
    }
  }
  return panel.transformations
    ? lastValueFrom(transformDataFrame(panel.transformations, out))
    : out;
}

export { standardTransformersRegistry };
