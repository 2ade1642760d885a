/** Grafana's own types of a dashboard, for one that is written as JSON. */
import type {
  DataQuery,
  Dashboard,
  FieldConfig,
  FieldConfigSource,
  Panel,
  RowPanel,
} from '@grafana/schema';
import type * as stat from '@grafana/schema/dist/esm/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen';
import type * as table from '@grafana/schema/dist/esm/raw/composable/table/panelcfg/x/TablePanelCfg_types.gen';
import type * as timeseries from '@grafana/schema/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen';

/**
 * A type as JSON has it. Grafana's enumerations are `enum`s of TypeScript, to which no string can be
 * assigned, only a member; their values are what JSON has.
 */
type Json<T> = unknown extends T
  ? unknown
  : T extends string
    ? `${T}`
    : T extends readonly (infer Item)[]
      ? Json<Item>[]
      : T extends object
        ? { [Key in keyof T]: Json<T[Key]> }
        : T;

/** Grafana publishes none for Prometheus: its data source is a plugin of its own. */
interface PrometheusQuery extends Omit<DataQuery, 'datasource'> {
  datasource: NonNullable<Panel['datasource']>;
  expr: string;
  legendFormat?: string;
  format?: 'time_series' | 'table' | 'heatmap';
  instant?: boolean;
  range?: boolean;
  interval?: string;
  exemplar?: boolean;
}

/** A panel as the model of dashboards has it, with what its plug-in adds. */
interface PanelOf<Type extends string, Options, Custom> extends Omit<
  Json<Panel>,
  'type' | 'options' | 'fieldConfig' | 'targets'
> {
  type: Type;
  options: Json<Options>;
  fieldConfig: Omit<Json<FieldConfigSource>, 'defaults'> & {
    defaults: Omit<Json<FieldConfig>, 'custom'> & { custom?: Json<Custom> };
  };
  targets: PrometheusQuery[];
}

export interface GrafanaDashboard extends Omit<Json<Dashboard>, 'panels'> {
  panels: (
    | Json<RowPanel>
    | PanelOf<'timeseries', timeseries.Options, timeseries.FieldConfig>
    | PanelOf<'stat', stat.Options, Record<string, never>>
    | PanelOf<'table', table.Options, table.FieldConfig>
  )[];
}
