/** GraphQL by Mercurius on Fastify, with compiled queries (JIT) and loaders for a page. */
import { fastify } from 'fastify';
import mercurius from 'mercurius';
import type { MercuriusLoaders } from 'mercurius';
import { createReaders } from '../hand/services.ts';
import { reportReady } from '../listen.ts';
import { batchReaders, queryResolvers, typeDefs } from './schema.ts';
import type { Entry } from './schema.ts';

const readers = createReaders();
const { payments, shipments } = batchReaders(readers);

/**
 * Without its cache, which would make JSON of every order for a key: on a page no order comes
 * twice.
 */
function loader(read: (ids: readonly string[]) => Promise<unknown[]>) {
  return {
    loader: (queries: readonly { readonly obj: Entry }[]) =>
      read(queries.map(({ obj }) => obj.order.id)),
    opts: { cache: false },
  };
}

const app = fastify({ logger: false });
await app.register(mercurius, {
  schema: typeDefs,
  resolvers: { Query: queryResolvers(readers) },
  loaders: {
    Entry: { payment: loader(payments), shipment: loader(shipments) },
  } as MercuriusLoaders, // its type asks for objects of any kind, these read entries
  jit: 1,
});
await app.listen({ port: 0, host: '127.0.0.1' });
reportReady(app.server);
