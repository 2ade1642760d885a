/** GraphQL Yoga on `node:http`, with dataloaders that live for a request. */
import { createServer } from 'node:http';
import DataLoader from 'dataloader';
import { createSchema, createYoga } from 'graphql-yoga';
import { createReaders } from '../hand/services.ts';
import { listen } from '../listen.ts';
import { batchReaders, queryResolvers, typeDefs } from './schema.ts';
import type { Entry } from './schema.ts';

const readers = createReaders();
const { payments, shipments } = batchReaders(readers);

function createLoaders() {
  return { payments: new DataLoader(payments), shipments: new DataLoader(shipments) };
}

type Context = ReturnType<typeof createLoaders>;

const yoga = createYoga({
  schema: createSchema({
    typeDefs,
    resolvers: {
      Query: queryResolvers(readers),
      Entry: {
        payment: ({ order }: Entry, _: unknown, loaders: Context) =>
          loaders.payments.load(order.id),
        shipment: ({ order }: Entry, _: unknown, loaders: Context) =>
          loaders.shipments.load(order.id),
      },
    },
  }),
  context: createLoaders,
  graphiql: false,
  landingPage: false,
  logging: false,
});

listen(createServer(yoga));
