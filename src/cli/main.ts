/** The command line: the door to citty. */
import { defineCommand, runMain } from 'citty';
import { check } from './check.ts';
import { dev } from './dev.ts';
import { explainRoute } from './explain-route.ts';
import { orExit } from './exit.ts';
import { newService } from './new-service.ts';
import { start } from './start.ts';
import { localAdminUrl, trace } from './trace.ts';
import { readVersion } from './version.ts';

const compositions = {
  type: 'string',
  default: 'compositions',
  valueHint: 'folder',
  description: 'The folder with the composition files',
} as const;

const commands = {
  dev: defineCommand({
    meta: { description: 'Run gateway and mock services, and start again on every change' },
    args: { compositions },
    run: ({ args }) => orExit(() => dev({ folder: args.compositions })),
  }),
  start: defineCommand({
    meta: { description: 'Run the gateway' },
    args: {
      compositions,
      tolerant: {
        type: 'boolean',
        default: false,
        description: 'Serve what is healthy although other compositions do not load',
      },
    },
    run: ({ args }) => orExit(() => start({ folder: args.compositions, tolerant: args.tolerant })),
  }),
  check: defineCommand({
    meta: { description: 'Load all compositions and report everything that is wrong with them' },
    args: {
      compositions,
      env: {
        type: 'boolean',
        default: false,
        description: 'Check the environment, too: every variable and file that a start would need',
      },
    },
    run: ({ args }) => orExit(() => check({ folder: args.compositions, env: args.env })),
  }),
  explain: defineCommand({
    meta: { description: 'Show the plan of a composition: what waits for what' },
    args: {
      route: {
        type: 'positional',
        required: false,
        description: 'A route, a path, or the name of a composition; all of them without',
      },
      compositions,
      mermaid: { type: 'boolean', default: false, description: 'Print a Mermaid flowchart' },
      json: { type: 'boolean', default: false, description: 'Print JSON' },
    },
    run: ({ args }) =>
      orExit(() =>
        explainRoute({
          folder: args.compositions,
          wanted: args.route,
          format: args.json ? 'json' : args.mermaid ? 'mermaid' : 'tree',
        }),
      ),
  }),
  new: defineCommand({
    meta: { description: 'Write files to begin with' },
    subCommands: {
      service: defineCommand({
        meta: { description: 'Write a service, its operations and schemas from a document' },
        args: {
          name: {
            type: 'positional',
            required: true,
            description: 'The name of the service, as "payments"',
          },
          'from-openapi': {
            type: 'string',
            valueHint: 'file',
            description: 'An OpenAPI document of version 3.0 or 3.1, in JSON or YAML',
          },
          operations: {
            type: 'string',
            valueHint: 'a,b',
            description: 'The operations to write, by id, name or "GET /path" (default: all)',
          },
          compositions,
        },
        run: ({ args }) =>
          orExit(() =>
            newService({
              name: args.name,
              document: args['from-openapi'],
              operations: args.operations,
              folder: args.compositions,
            }),
          ),
      }),
    },
  }),
  trace: defineCommand({
    meta: { description: 'Show the latest traces of a gateway in development, or one of them' },
    args: {
      traceId: {
        type: 'positional',
        required: false,
        description: 'A trace id, or how it begins; the latest traces without',
      },
      admin: {
        type: 'string',
        valueHint: 'url',
        description: "The gateway's management side (default: loopback, at ADMIN_PORT or 8081)",
      },
      json: { type: 'boolean', default: false, description: 'Print JSON' },
    },
    run: ({ args }) =>
      orExit(() =>
        trace({ traceId: args.traceId, adminUrl: args.admin ?? localAdminUrl(), json: args.json }),
      ),
  }),
};

await runMain(
  defineCommand({
    meta: { name: 'plait', version: readVersion(), description: 'A REST aggregation gateway' },
    subCommands: commands,
  }),
);
