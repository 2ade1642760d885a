/** Types for the part of graphql-yoga in use: its own would bring the browser's globals. */
import type { GraphQLSchema } from 'graphql';
import type { RequestListener } from 'node:http';

export function createSchema(options: {
  typeDefs: string;
  resolvers: Readonly<Record<string, object>>;
}): GraphQLSchema;

export function createYoga(options: {
  schema: GraphQLSchema;
  context: () => object;
  graphiql: boolean;
  landingPage: boolean;
  logging: boolean;
}): RequestListener;
