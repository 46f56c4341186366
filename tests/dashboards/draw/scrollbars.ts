// @grafana/ui imports the default of this CommonJS package; esbuild hands an
// ES module the whole of its exports instead.
import * as all from './node_modules/react-custom-scrollbars-2/lib/index.js';

const found = (all as any).default;
export default found.default ?? found;
