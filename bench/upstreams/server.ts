/** All services at one address, as cheap as Node can be, and a collector that drops traces. */
import { createServer } from 'node:http';
import type { ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { answerTo } from '../process/questions.ts';
import { bodyAt } from './answer.ts';

let calls = 0;

const server = createServer((request, response) => {
  if (request.method === 'POST') {
    request.resume();
    response.writeHead(200, { 'content-type': 'application/x-protobuf', 'content-length': 0 });
    response.end();
    return;
  }
  calls += 1;
  respond(response, bodyAt(request.url ?? ''));
});
// A connection that ends between two rounds would be an error of the program under test.
server.keepAliveTimeout = 0;
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo; // it listens on TCP
  console.log(`ready http://127.0.0.1:${port}`);
});
answerTo('calls', () => calls);

function respond(response: ServerResponse, body: string | undefined): void {
  if (body === undefined) {
    response.writeHead(404).end();
    return;
  }
  // The bodies are ASCII.
  response.writeHead(200, {
    'content-type': 'application/json',
    'content-length': body.length,
  });
  response.end(body);
}
