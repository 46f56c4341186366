// Starts Edge Impulse's runner the way a device needs it. It replaces the
// image's entrypoint and adds three things to it:
//
//  - the API key comes from the environment and is no argument that `ps` shows;
//  - no line per prediction goes to the log, no shared memory is used;
//  - the runner goes on answering /api/info after its model has died, so a
//    window is classified every EI_WATCH_SECONDS (30), and after three failures
//    the process ends for the container's restart policy to start it again.
//
// EI_API_KEY builds and fetches the project's model (the network is needed at
// each start); EI_MODEL_FILE runs an .eim file and needs neither.
'use strict';
const fs = require('fs');
const {probe} = require('./health.js');

const runner =
    process.env.EI_RUNNER || '/app/linux/node/build/cli/linux/runner.js';
const port = process.env.EI_PORT || '1337';
let source;
if (process.env.EI_MODEL_FILE) {
  // The runner changes the file's mode: a copy lets the original be read-only
  // and anybody's.
  const copy = '/tmp/model.eim';
  fs.rmSync(copy, {force: true});
  fs.copyFileSync(process.env.EI_MODEL_FILE, copy);
  source = ['--model-file', copy];
} else if (process.env.EI_API_KEY) {
  source = ['--api-key', process.env.EI_API_KEY];
} else {
  console.error('inference: set EI_API_KEY or EI_MODEL_FILE');
  process.exit(1);
}

process.argv = [
  process.argv[0], runner, ...source, '--run-http-server', port,
  '--dont-print-predictions', '--shm-behavior', 'never',
];

let started = false, failures = 0;
async function watch() {
  try {
    await probe(port);
    started = true;
    failures = 0;
  } catch (error) {
    if (!started && error.code === 'ECONNREFUSED')
      return; // the first start may build and download the model
    console.error('inference: ' + error.message);
    if (++failures >= 3)
      process.exit(1);
  }
}
const seconds = Number(process.env.EI_WATCH_SECONDS || 30);
setInterval(watch, seconds * 1000).unref();

require(runner);
