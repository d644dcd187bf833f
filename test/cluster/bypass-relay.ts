// A pod without a guard that helps a guarded one to get around: a proxy, a server with a provider's certificate, and one that
// takes anything. What it was told is asked for on port 8000. Run: `node bypass-relay.ts FOLDER`, with tls.crt and tls.key there.
import { createSocket } from 'node:dgram';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createTcpServer, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';

const folder = process.argv[2] ?? '.';
const told: string[] = [];

function take(what: string, answer: string) {
  return (socket: Socket): void => {
    socket.on('error', () => undefined);
    socket.on('data', (bytes: Buffer) => {
      told.push(`${what}: ${bytes.toString('latin1')}`);
      socket.write(answer);
    });
  };
}

const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';
const certificate = { cert: readFileSync(`${folder}/tls.crt`), key: readFileSync(`${folder}/tls.key`) };

createTlsServer(certificate, take('tls', OK)).listen(443);
createTcpServer(take('http', OK)).listen(80);
createTcpServer(take('proxy', OK)).listen(3128);
createTcpServer(take('own protocol', 'taken')).listen(9000);
createTcpServer(take('resolver', '')).listen(53);
const datagrams = createSocket('udp4');
datagrams.on('message', (bytes) => void told.push(`datagram: ${bytes.toString('latin1')}`));
datagrams.bind(53);
createServer((_, response) => void response.end(JSON.stringify(told))).listen(8000);
