// Classifies one window. Exit status 0: the model behind the server works.
'use strict';
const http = require('http');

function ask(port, method, path, body) {
  return new Promise((resolve, reject) => {
    const request = http.request(
        {host: '127.0.0.1', port, method, path, timeout: 4000,
         headers: {'content-type': 'application/json'}},
        (reply) => {
          let text = '';
          reply.on('data', (part) => text += part);
          reply.on('end', () => reply.statusCode === 200 ?
              resolve(JSON.parse(text)) :
              reject(new Error(path + ' answered ' + reply.statusCode + ' ' +
                               text.slice(0, 100))));
        });
    request.on('timeout', () => request.destroy(new Error('no answer')));
    request.on('error', reject);
    request.end(body);
  });
}

async function probe(port) {
  const info = await ask(port, 'GET', '/api/info');
  const count = info.modelParameters.input_features_count;
  const window = new Array(count).fill(10);
  const reply = await ask(port, 'POST', '/api/features',
                          JSON.stringify({features: window}));
  if (!reply.result)
    throw new Error('the answer has no result');
}

module.exports = {probe};

if (require.main === module) {
  probe(process.env.EI_PORT || '1337').catch((error) => {
    console.error(error.message);
    process.exit(1);
  });
}
