// Reads requests, one a line in hexadecimal, with Node's HTTP server, and writes what it made of each:
// METHOD:TARGET:BODY of each whole request (target and body in hexadecimal), each followed by a blank, then
// ok, refused or cut. The first line is Node's version.
'use strict';
const http = require('http');
const { Duplex } = require('stream');

const hex = (text) => Buffer.from(text, 'latin1').toString('hex');

// Rounds of the event loop: everything is in memory, so what can happen has happened after a few.
function rounds(count, then) {
  if (count === 0) then();
  else setImmediate(() => rounds(count - 1, then));
}

function read(bytes, done) {
  const requests = [];
  let end = 'ok';
  let open = 0;
  const server = http.createServer((request, response) => {
    const body = [];
    open++;
    request.on('data', (piece) => body.push(piece));
    request.on('error', () => {});
    request.on('end', () => {
      open--;
      requests.push(`${request.method}:${hex(request.url)}:${Buffer.concat(body).toString('hex')} `);
      response.end();
    });
  });
  server.on('connect', (request) => requests.push(`${request.method}:${hex(request.url)}: `));
  server.on('clientError', (error) => {
    if (error.code === 'HPE_INVALID_EOF_STATE') end = 'cut';
    // What stands behind a request that says `close` is not looked at, which is how it should be.
    else if (error.code !== 'HPE_CLOSED_CONNECTION' && error.code !== 'ECONNRESET') end = 'refused';
  });
  const connection = new Duplex({
    read() {},
    write(piece, encoding, next) {
      // Some refusals come as a response and not as an error.
      if (/^HTTP\/1\.1 4/.test(piece.toString('latin1'))) end = 'refused';
      next();
    },
  });
  connection.on('error', () => {});
  server.emit('connection', connection);
  connection.push(bytes);
  rounds(12, () => {
    if (end === 'ok' && open > 0) end = 'cut';
    connection.push(null);
    rounds(12, () => {
      connection.destroy();
      done(requests.join('') + end);
    });
  });
}

const lines = require('fs').readFileSync(0, 'latin1').split('\n').slice(0, -1);
console.log(process.version);
(function next(at) {
  if (at === lines.length) return;
  read(Buffer.from(lines[at], 'hex'), (outcome) => {
    console.log(outcome);
    next(at + 1);
  });
})(0);
