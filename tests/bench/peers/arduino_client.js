// Arduino's own npm client: CPU time, in seconds, of one published value over a
// kept TLS connection. The interpreter's start is not counted.
//
//   node arduino_client.js FOLDER VALUES SECONDS    as arduino_client.py;
//   FOLDER: where npm put @arduino/arduino-iot-client
const https = require("https");
const querystring = require("querystring");
const {createRequire} = require("module");

const [folder, values, seconds] = [process.argv[2], Number(process.argv[3]),
  Number(process.argv[4])];
const iot = createRequire(folder + "/")("@arduino/arduino-iot-client");
const env = process.env;
const agent = new https.Agent({keepAlive: true, maxSockets: 1});
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

function token() {
  const body = querystring.stringify({grant_type: "client_credentials",
    client_id: env.CLIENT_ID, client_secret: env.CLIENT_SECRET,
    audience: "https://api2.arduino.cc/iot"});
  return new Promise((done, fail) => {
    const request = https.request(env.CLOUD_URL + "/iot/v1/clients/token",
      {method: "POST", agent, headers: {
        "Content-Type": "application/x-www-form-urlencoded",
        "Content-Length": body.length}}, (reply) => {
        let text = "";
        reply.on("data", (part) => text += part);
        reply.on("end", () => done(JSON.parse(text).access_token));
      });
    request.on("error", fail);
    request.end(body);
  });
}

async function main() {
  const client = iot.ApiClient.instance;
  client.basePath = env.CLOUD_URL;
  client.authentications.oauth2.accessToken = await token();
  client.requestAgent = agent;
  const api = new iot.PropertiesV2Api(client);
  const publish = (value) => api.propertiesV2Publish(env.THING_ID,
    env.FLOWRATE_VARIABLE_ID, {value});
  await publish(-1);
  console.log("ready");
  await new Promise((go) => process.stdin.once("data", go));
  const begun = process.cpuUsage();
  for (let n = 0; n < values; n++) {
    if (seconds > 0)
      await sleep(1000 * seconds);
    await publish(n);
  }
  const used = process.cpuUsage(begun);
  console.log((used.user + used.system) / 1e6 / values);
  process.exit(0);
}

main().catch((fault) => {
  console.error(fault.error || fault);
  process.exit(1);
});
