/** The command line: all commands, and what they take. */
import { localAdminUrl } from './ask-admin.ts';
import { check } from './check.ts';
import { command, group, runCommand } from './command.ts';
import { dev } from './dev.ts';
import { explainRoute } from './explain-route.ts';
import { newKey } from './new-key.ts';
import { newService } from './new-service.ts';
import { start } from './start.ts';
import { trace } from './trace.ts';
import { upstreams } from './upstreams.ts';

const compositions = {
  type: 'string',
  default: 'compositions',
  valueHint: 'folder',
  description: 'The folder with the composition files',
} as const;

const admin = {
  type: 'string',
  valueHint: 'url',
  description: "The gateway's management side (default: loopback, at ADMIN_PORT or 8081)",
} as const;

const commands = {
  dev: command('dev', {
    description: 'Run gateway and mock services, and start again on every change',
    examples: ['dev'],
    args: { compositions },
    goesOn: true,
    run: (args) => dev({ folder: args.compositions }),
  }),
  start: command('start', {
    description: 'Run the gateway',
    examples: ['start', 'start --compositions=compositions --tolerant'],
    args: {
      compositions,
      tolerant: {
        type: 'boolean',
        default: false,
        description: 'Serve what is healthy although other compositions do not load',
      },
    },
    goesOn: true,
    run: (args) => start({ folder: args.compositions, tolerant: args.tolerant }),
  }),
  check: command('check', {
    description: 'Load all compositions and report everything that is wrong with them',
    examples: ['check', 'check --env'],
    args: {
      compositions,
      env: {
        type: 'boolean',
        default: false,
        description: 'Check the environment, too: every variable and file that a start would need',
      },
    },
    run: (args) => check({ folder: args.compositions, env: args.env }),
  }),
  explain: command('explain', {
    description: 'Show the plan of a composition: what waits for what',
    examples: [
      'explain',
      "explain 'GET /orders/:orderId/summary'",
      'explain order-summary --mermaid',
    ],
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
    run: (args) =>
      explainRoute({
        folder: args.compositions,
        wanted: args.route,
        format: args.json ? 'json' : args.mermaid ? 'mermaid' : 'tree',
      }),
  }),
  new: group('new', {
    description: 'Write files to begin with',
    examples: ['new service payments --from-openapi=payments.yaml'],
    commands: {
      service: command('new service', {
        description: 'Write a service, its operations and schemas from a document',
        examples: [
          'new service payments --from-openapi=payments.yaml',
          'new service payments --from-openapi=payments.yaml --operations=getPayment,listPayments',
        ],
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
        run: (args) =>
          newService({
            name: args.name,
            document: args['from-openapi'],
            operations: args.operations,
            folder: args.compositions,
          }),
      }),
    },
  }),
  key: group('key', {
    description: 'Make API keys for clients',
    examples: ["key new acme --owner='Acme Ltd'"],
    commands: {
      new: command('key new', {
        description: 'Print a new API key, and its entry for the list of keys',
        examples: [
          "key new acme --owner='Acme Ltd' --scopes=orders.read",
          'key new acme --days=90',
        ],
        args: {
          id: {
            type: 'positional',
            required: true,
            description: 'The id of the key, as "acme"; the same one when it replaces another',
          },
          owner: { type: 'string', valueHint: 'name', description: 'Whose key it is' },
          scopes: { type: 'string', valueHint: 'a,b', description: 'The scopes that it has' },
          roles: { type: 'string', valueHint: 'a,b', description: 'The roles that it has' },
          days: {
            type: 'string',
            default: '365',
            valueHint: 'number',
            description: 'After how many days it ends; 0: never',
          },
        },
        run: async (args) => newKey(args),
      }),
    },
  }),
  trace: command('trace', {
    description: 'Show the latest traces of a gateway in development, or one of them',
    examples: ['trace', 'trace 4bf92f', 'trace --follow'],
    args: {
      traceId: {
        type: 'positional',
        required: false,
        description: 'A trace id, or how it begins; the latest traces without',
      },
      admin,
      follow: { type: 'boolean', default: false, description: 'Go on to list those that come' },
      json: { type: 'boolean', default: false, description: 'Print JSON' },
    },
    goesOn: true,
    run: ({ traceId, admin: adminUrl = localAdminUrl(), json, follow }) =>
      trace({ traceId, adminUrl, json, follow }),
  }),
  upstreams: command('upstreams', {
    description: 'Show how the services of a running gateway are',
    examples: ['upstreams', 'upstreams --admin=http://127.0.0.1:8081 --json'],
    args: {
      admin,
      json: { type: 'boolean', default: false, description: 'Print JSON' },
    },
    run: (args) => upstreams({ adminUrl: args.admin ?? localAdminUrl(), json: args.json }),
  }),
};

await runCommand(
  group('', {
    description: 'A REST aggregation gateway',
    examples: ['dev', 'explain order-summary', 'start --help'],
    commands,
  }),
);
