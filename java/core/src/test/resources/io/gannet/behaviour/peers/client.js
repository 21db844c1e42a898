// Node's client of HTTP/2 against the server of PeerServer: node client.js PORT. What is not so throws.
'use strict';
const assert = require('assert');
const http2 = require('http2');
const { once } = require('events');

const closed = (stream) => new Promise((resolve) => stream.on('close', resolve));

const LARGE = 32 << 20;
const session = http2.connect('http://127.0.0.1:' + process.argv[2], { maxSessionMemory: 1000 });
session.on('error', (error) => { throw error; });
session.on('goaway', (code) => assert.strictEqual(code, 0));

function request(path, body, fields, trailers) {
    return new Promise((resolve, reject) => {
        const head = { ':path': path, ':method': body === undefined ? 'GET' : 'POST', ...fields };
        const stream = session.request(head, { endStream: body === undefined, waitForTrailers: trailers !== undefined });
        const answer = { parts: [] };
        stream.on('response', (response) => { answer.head = response; });
        stream.on('trailers', (received) => { answer.trailers = received; });
        stream.on('wantTrailers', () => stream.sendTrailers(trailers));
        stream.on('data', (part) => answer.parts.push(part));
        stream.on('error', reject);
        stream.on('end', () => { answer.body = Buffer.concat(answer.parts); resolve(answer); });
        if (body !== undefined) stream.end(body);
    });
}

async function reset(path, code, body) {
    const stream = session.request({ ':path': path, ':method': body ? 'POST' : 'GET' }, { endStream: !body });
    stream.on('error', () => {});
    if (body) {
        stream.write(body);
    } else {
        await once(stream, 'data');
    }
    stream.close(code);
    await closed(stream);
}

const steps = {
    async settings() {
        const settings = session.remoteSettings.maxConcurrentStreams ? session.remoteSettings
            : (await once(session, 'remoteSettings'))[0];
        assert.strictEqual(settings.maxConcurrentStreams, 200);
        assert.strictEqual(settings.enableConnectProtocol, true);
    },
    async manyAtOnce() { // more than may be open: Node sends the others later
        const answers = await Promise.all(Array.from({ length: 500 }, (_, i) => request('/echo', 'body ' + i)));
        answers.forEach((answer, i) => assert.strictEqual(answer.body.toString(), 'body ' + i));
    },
    async largeEchoes() {
        const body = Buffer.alloc(1500000, 'abcdefg');
        const answers = await Promise.all(Array.from({ length: 10 }, () => request('/echo', body)));
        answers.forEach((answer) => assert.ok(answer.body.equals(body)));
    },
    async trailersBothWays() {
        const answer = await request('/count', 'hello', { te: 'trailers' }, { 'x-sum': '42' });
        assert.strictEqual(answer.body.toString(), '5 bytes');
        assert.strictEqual(answer.trailers['x-sum'], '42');
    },
    async cookiesInParts() {
        const answer = await request('/echo', 'x', { cookie: ['a=1', 'b=2'] });
        assert.strictEqual(answer.head[':status'], 200);
    },
    async pausedReaderHoldsUpNobody() {
        const paused = session.request({ ':path': '/endless' });
        paused.on('error', () => {});
        await once(paused, 'response');
        const stream = session.request({ ':path': '/large' });
        let octets = 0;
        stream.on('data', (part) => {
            octets += part.length;
            stream.pause();
            setImmediate(() => stream.resume());
        });
        await once(stream, 'end');
        assert.strictEqual(octets, LARGE);
        paused.close(8);
        await closed(paused);
    },
    async resets() {
        for (const code of [0, 1, 2, 5, 7, 8, 11]) {
            await reset('/endless', code);
            await reset('/count', code, 'a part');
        }
    },
    async settingsMidway() {
        session.settings({ initialWindowSize: 100, headerTableSize: 0 });
        assert.strictEqual((await request('/echo', 'x'.repeat(20000))).body.length, 20000);
        session.settings({ initialWindowSize: 1 << 20, headerTableSize: 4096 });
        assert.strictEqual((await request('/large')).body.length, LARGE);
    },
    async extendedConnect() {
        const stream = session.request(
            { ':method': 'CONNECT', ':protocol': 'websocket', ':path': '/tunnel', ':scheme': 'http' },
            { endStream: false });
        const [head] = await once(stream, 'response');
        assert.strictEqual(head[':status'], 200);
        assert.strictEqual(head['x-protocol'], 'websocket');
        for (const text of ['one', 'two']) {
            stream.write(text);
            const [part] = await once(stream, 'data');
            assert.strictEqual(part.toString(), text);
        }
        stream.end();
        stream.resume();
        await once(stream, 'end');
    },
    async fieldsOverTheLimit() {
        assert.strictEqual((await request('/hello', undefined, { 'x-long': 'y'.repeat(17000) })).head[':status'], 431);
        assert.strictEqual((await request('/hello')).head[':status'], 200);
    },
    async ping() {
        await new Promise((resolve, reject) => session.ping((error) => (error ? reject(error) : resolve())));
    },
};

(async () => {
    for (const [name, step] of Object.entries(steps)) {
        console.log(name);
        await step();
    }
    session.close();
    await closed(session);
    console.log('done');
})();
