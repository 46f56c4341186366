// The kinds of panels: Grafana's own components, but for the state timeline,
// whose code is not published; it is drawn here from Grafana's field model.
import { DataFrame, FieldType, getDisplayProcessor, getFieldDisplayValues,
  GrafanaTheme2, TimeRange } from '@grafana/data';
import { BarGauge, BigValue, Table, TimeSeries } from '@grafana/ui';
import type { Range } from './query';

interface Props {
  panel: any; frames: DataFrame[]; width: number; height: number;
  theme: GrafanaTheme2; timeRange: TimeRange; range: Range;
}

function NoData({ panel }: { panel: any }) {
  return <div style={{ padding: 8, fontSize: 16 }}>
    {panel.fieldConfig.defaults.noValue ?? 'No data'}</div>;
}

function Values({ panel, frames, width, height, theme }: Props) {
  const shown = getFieldDisplayValues({ data: frames, theme,
    fieldConfig: panel.fieldConfig, timeZone: 'utc',
    reduceOptions: panel.options.reduceOptions,
    replaceVariables: (s: string) => s } as any);
  if (shown.length === 0) return <NoData panel={panel} />;
  const down = panel.type === 'bargauge';
  const w = down ? width : width / shown.length;
  const h = down ? height / shown.length : height;
  const box = { display: 'flex',
    flexDirection: down ? 'column' : 'row' } as const;
  return <div style={box}>{shown.map((s, i) => down
    ? <BarGauge key={i} value={s.display} field={s.field as any} width={w}
        height={h} theme={theme} itemSpacing={6}
        namePlacement={panel.options.namePlacement}
        display={getDisplayProcessor({ theme, field: { config: s.field,
          type: FieldType.number } as any })}
        orientation={panel.options.orientation}
        displayMode={panel.options.displayMode}
        showUnfilled={panel.options.showUnfilled} />
    : <BigValue key={i} value={s.display} width={w - 4} height={h}
        theme={theme} colorMode={panel.options.colorMode}
        graphMode={panel.options.graphMode}
        justifyMode={panel.options.justifyMode}
        textMode={shown.length > 1 ? 'value_and_name' as any
          : panel.options.textMode} />)}</div>;
}

interface Band { from: number; to: number; text: string; color?: string }

function bands(frame: DataFrame): Band[] {
  const [times, field] = frame.fields, out: Band[] = [];
  field.values.forEach((value: number | null, i: number) => {
    const last = out[out.length - 1];
    if (last) last.to = times.values[i];
    if (value === null) {
      out.push({ from: times.values[i], to: times.values[i], text: '' });
      return;
    }
    const shown = field.display!(value);
    if (!last || last.text !== shown.text)
      out.push({ from: times.values[i], to: times.values[i],
        text: shown.text, color: shown.color });
  });
  return out.filter((b) => b.color);
}

function StateTimeline({ panel, frames, width, height, theme, range }:
  Props) {
  const ink = theme.colors.text.primary;
  const longest = Math.max(...frames.map((f) =>
    (f.fields[1].config.displayNameFromDS ?? '').length));
  const label = 12 + 6.8 * longest, axis = 18;
  const rowHeight = (height - axis) / Math.max(1, frames.length);
  const x = (t: number) => label + (t - range.from) /
    (range.to - range.from) * (width - label - 8);
  const quiet = panel.options.showValue === 'never';
  return <svg width={width} height={height} fontSize={11}
    fontFamily="DejaVu Sans, sans-serif">
    {frames.map((f, i) => <g key={i}>
      <text x={4} y={i * rowHeight + rowHeight / 2 + 4} fill={ink}>
        {f.fields[1].config.displayNameFromDS}</text>
      {bands(f).map((b, j) => <g key={j}>
        <rect x={x(b.from)} y={i * rowHeight + 2} fill={b.color}
          fillOpacity={panel.fieldConfig.defaults.custom.fillOpacity / 100}
          width={Math.max(1, x(b.to) - x(b.from))}
          height={rowHeight * panel.options.rowHeight - 2} />
        {!quiet && x(b.to) - x(b.from) > 60 && <text x={x(b.from) + 4}
          y={i * rowHeight + rowHeight / 2 + 4} fill="#000">
          {b.text}</text>}
      </g>)}</g>)}
    {(width < 500 ? [0, 0.5, 1] : [0, 0.25, 0.5, 0.75, 1]).map((part) => {
      const at = range.from + part * (range.to - range.from);
      return <text key={part} x={x(at)} y={height - 4} fill={ink}
        textAnchor={part === 1 ? 'end' : 'middle'}>
        {new Date(at).toISOString().slice(11, 19)}</text>;
    })}
  </svg>;
}

export function Panel(props: Props) {
  const { panel, frames, width, height, timeRange } = props;
  if (!frames.some((f) => f.length)) return <NoData panel={panel} />;
  if (panel.type === 'timeseries')
    return <TimeSeries frames={frames} structureRev={1} width={width}
      height={height} timeRange={timeRange} timeZone="utc"
      legend={panel.options.legend} options={panel.options} />;
  if (panel.type === 'state-timeline') return <StateTimeline {...props} />;
  if (panel.type === 'table')
    return <Table data={frames[0]} width={width} height={height} />;
  return <Values {...props} />;
}
