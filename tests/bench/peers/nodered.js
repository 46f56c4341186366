// Node-RED in place of Weir: prints its flow, for the addresses of the
// environment. node nodered.js >flows.json
const env = process.env;
const [host, port] = env.M4_ADDRESS.split(":");
const property = (id) =>
  `${env.CLOUD_URL}/iot/v2/things/${env.THING_ID}/properties/${id}/publish`;

const ask = `const name = Buffer.from("flow_rate");
msg.payload = Buffer.concat([Buffer.from([0x94, 0, 0, 0xa0 + name.length]),
  name, Buffer.from([0x90])]);
return msg;`;
// [0x94, 1, id, nil, 0xca, 4 bytes]; anything else is read as 0, as the
// note's client takes whatever comes.
const take = `const b = msg.payload;
const flow = b.length >= 9 && b[4] === 0xca ? b.readFloatBE(5) : 0;
const w = flow_values();
function flow_values() { return context.get("w") || []; }
w.push(flow);
while (w.length > 60) w.shift();
context.set("w", w);
const features = Array(60 - w.length).fill(-1000).concat(w);
return [{payload: flow}, w.length >= 10 ? {payload: {features},
  headers: {"Content-Type": "application/json"}} : null];`;
const best = `const scores = msg.payload.result.classification;
const label = Object.keys(scores).reduce((a, b) =>
  scores[a] >= scores[b] ? a : b);
const text = Buffer.from(JSON.stringify({label, value: scores[label]}));
const head = text.length < 32 ? Buffer.from([0xa0 + text.length]) :
  Buffer.from([0xda, 0, text.length]);
const name = Buffer.from("classification");
const changed = context.get("shown") !== label;
context.set("shown", label);
return [{payload: Buffer.concat([Buffer.from([0x94, 0, 0, 0xa0 + name.length]),
  name, Buffer.from([0x91]), head, text])}, changed ? {payload: label} : null];`;
const bearer = `const token = flow.get("token");
if (!token) return null;
return {payload: {value: msg.payload}, headers: {
  "Content-Type": "application/json", Authorization: "Bearer " + token}};`;
const form = `return {payload: {grant_type: "client_credentials",
  client_id: env.get("CLIENT_ID"), client_secret: env.get("CLIENT_SECRET"),
  audience: "https://api2.arduino.cc/iot"}, headers: {
  "Content-Type": "application/x-www-form-urlencoded"}};`;
const keep = `if (msg.payload && msg.payload.access_token)
  flow.set("token", msg.payload.access_token);`;

const node = (id, type, wires, rest) =>
  Object.assign({id, type, z: "tab", wires}, rest);
const code = (id, func, wires) =>
  node(id, "function", wires, {func, outputs: wires.length});
const request = (id, method, url, wires, ret) =>
  node(id, "http request", wires, {method, url, ret, tls:
    url.startsWith("https") ? "ca" : "", persist: true, senderr: true});
const m4 = (id, wires) => node(id, "tcp request", wires,
  {server: host, port, out: "count", splitc: "9", ret: "buffer"});

console.log(JSON.stringify([
  {id: "tab", type: "tab", label: "flow"},
  {id: "ca", type: "tls-config", cert: "", key: "", ca: env.CLOUD_CA,
    verifyservercert: true},
  node("tick", "inject", [["ask"]], {repeat: "1", once: true,
    onceDelay: "0.5", props: []}),
  code("ask", ask, [["m4"]]),
  m4("m4", [["take"]]),
  code("take", take, [["flow"], ["runner"]]),
  request("runner", "POST", env.RUNNER_URL + "/api/features", [["best"]],
    "obj"),
  code("best", best, [["tell"], ["label"]]),
  node("tell", "tcp request", [[]], {server: host, port, out: "count",
    splitc: "5", ret: "buffer"}),
  code("flow", bearer, [["put_flow"]]),
  request("put_flow", "PUT", property(env.FLOWRATE_VARIABLE_ID), [[]], "txt"),
  code("label", bearer, [["put_label"]]),
  request("put_label", "PUT", property(env.CLASSIFICATION_VARIABLE_ID), [[]],
    "txt"),
  node("renew", "inject", [["form"]], {repeat: "240", once: true,
    onceDelay: "0.1", props: []}),
  code("form", form, [["token"]]),
  request("token", "POST", env.CLOUD_URL + "/iot/v1/clients/token", [["keep"]],
    "obj"),
  code("keep", keep, [[]]),
]));
