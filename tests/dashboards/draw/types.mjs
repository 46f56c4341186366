// types.mjs DASHBOARD...: are the dashboards what @grafana/schema says?
//
// Each file becomes a TypeScript module whose objects are declared with
// Grafana's own types: the dashboard, its panels, and the options and field
// configuration of each panel's kind. tsc then finds misspelt, misplaced and
// wrongly typed members. JSON has no enums, so an enum's values stand for it.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

const RAW = '@grafana/schema/dist/esm/raw';
const KINDS = { timeseries: 'TimeSeries', stat: 'Stat', bargauge: 'BarGauge',
  'state-timeline': 'StateTimeline', table: 'Table' };
const NO_FIELD_CONFIG = ['stat', 'bargauge'];
const PRELUDE = `
type Value<T> = T extends string ? \`\${T}\`
  : T extends number
    ? (number extends T ? T
      : \`\${T}\` extends \`\${infer N extends number}\` ? N : T)
    : T;
type Json<T> = T extends (infer U)[] ? Json<U>[]
  : T extends object
    ? { [K in keyof T]?: Json<T[K]> | (null extends T[K] ? null : never) }
    : Value<T>;
`;

const panels = (dashboard) =>
  dashboard.panels.filter((p) => p.type !== 'row');

// The first threshold has no lower end, which JSON says as null.
function based(panel) {
  const copy = structuredClone({ ...panel, options: {} });
  copy.fieldConfig.defaults.custom = {};
  for (const step of copy.fieldConfig.defaults.thresholds.steps)
    step.value ??= -1e300;
  for (const o of copy.fieldConfig.overrides)
    for (const p of o.properties) delete p.value; // any
  return copy;
}

function moduleOf(dashboard) {
  const lines = [], used = new Set();
  const declare = (name, type, value, note = '') =>
    lines.push(`export const ${name}: Json<${type}> = ` +
      `${JSON.stringify(value)}; // ${note}`);
  for (const panel of panels(dashboard)) {
    const kind = KINDS[panel.type];
    if (!kind) throw new Error(`${panel.title}: unknown kind ${panel.type}`);
    used.add(kind);
    declare(`options${panel.id}`, `${kind}.Options`, panel.options,
      panel.title);
    if (!NO_FIELD_CONFIG.includes(panel.type))
      declare(`custom${panel.id}`, `${kind}.FieldConfig`,
        panel.fieldConfig.defaults.custom, panel.title);
  }
  const { panels: _p, templating, annotations, ...rest } = dashboard;
  declare('dashboard', "Omit<Dashboard, 'panels'>",
    { ...rest, id: undefined });
  declare('panel', "NonNullable<Dashboard['panels']>",
    panels(dashboard).map(based));
  declare('variables', "NonNullable<Dashboard['templating']>", templating);
  const imports = [...used].map((kind) => {
    const file = kind.toLowerCase();
    return `import type * as ${kind} from ` +
      `'${RAW}/composable/${file}/panelcfg/x/${kind}PanelCfg_types.gen';`;
  });
  return [`import type { Dashboard } from ` +
    `'${RAW}/dashboard/x/Dashboard_types.gen';`, ...imports, PRELUDE,
    ...lines].join('\n');
}

function compile(files) {
  try {
    execFileSync('node', ['node_modules/typescript/bin/tsc', '--noEmit',
      '--strict', '--skipLibCheck', '--target', 'es2022', '--module',
      'esnext', '--moduleResolution', 'bundler', ...files],
      { encoding: 'utf8' });
    return '';
  } catch (e) {
    return e.stdout || e.message;
  }
}

function write(name, dashboard) {
  const file = path.join('types', name + '.ts');
  fs.writeFileSync(file, moduleOf(dashboard));
  return file;
}

// The check is worth something only if it finds these.
const MISTAKES = {
  'a misspelt option': (p) => (p.options.colourMode = 'value'),
  'a wrong enum': (p) => (p.options.colorMode = 'backgrounds'),
  'a wrong place': (p) => (p.gridPos.x = '0'),
};

fs.mkdirSync('types', { recursive: true });
let good = 0, bad = 0;
const say = (ok, what, why) => {
  console.log(`${ok ? 'ok    ' : 'FAILED'} ${what}`);
  ok ? good++ : (bad++, console.log(why));
};
const all = process.argv.slice(2).map((file) =>
  [path.basename(file, '.json'), JSON.parse(fs.readFileSync(file, 'utf8'))]);
const errors = compile(all.map(([name, d]) => write(name, d)));
for (const [name] of all) {
  const own = errors.split('\n').filter((l) => l.includes(`${name}.ts(`));
  say(own.length === 0, `types: ${name}`, own.join('\n'));
}
if (errors && bad === 0) say(false, 'tsc', errors);
const wrong = Object.entries(MISTAKES).map(([what, change], i) => {
  const copy = structuredClone(all[0][1]);
  change(panels(copy).find((p) => p.type === 'stat'));
  return [what, write(`mistake${i}`, copy)];
});
const found = compile(wrong.map(([, file]) => file));
for (const [what, file] of wrong)
  say(found.includes(path.basename(file)), `types: finds ${what}`, found);
console.log(`counted ${good} ${bad} 0`);
process.exit(bad ? 1 : 0);
