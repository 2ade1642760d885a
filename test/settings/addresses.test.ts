import { defineService } from 'plait';
import { describe, expect, it } from 'vitest';
import { ConfigurationError } from '../../src/errors.ts';
import { addressProblem } from '../../src/settings/addresses.ts';
import { parseSettings } from '../../src/settings/settings.ts';

const shop = defineService({ name: 'shop', url: { env: 'SHOP_URL' } });

/** The addresses of the service, from its variable. */
function read(text: string): string[] {
  const { addresses } = parseSettings({ SHOP_URL: text }, [shop]);
  return (addresses.get('shop') ?? []).map(String);
}

const rule =
  'an http or https URL with a host, and without credentials, port 0, query or fragment, or a socket and a prefix (unix:/run/orders.sock:/v2)';
const advice = `Use ${rule}, as in http://127.0.0.1:4001.`;

describe('the addresses of a service', () => {
  const urls = 'http://a, https://b:8443/x ,http://[::1]:81';

  it('are read from its variable, several separated by commas', () => {
    expect(read(urls)).toEqual(['http://a/', 'https://b:8443/x', 'http://[::1]:81/']);
  });

  it('are read from the service where it is declared with them', () => {
    const literal = defineService({ name: 'literal', url: urls });
    const { addresses } = parseSettings({ SHOP_URL: 'http://s' }, [literal, shop]);
    expect(addresses.get('literal')?.map(String)).toEqual(read(urls));
    expect(addresses.get('shop')?.map(String)).toEqual(['http://s/']);
  });

  it('may be in one variable for two services', () => {
    const other = defineService({ name: 'other', url: { env: 'SHOP_URL' } });
    const { addresses } = parseSettings({ SHOP_URL: 'http://a' }, [shop, other]);
    expect(addresses.get('other')).toEqual(addresses.get('shop'));
    expect(addressProblem([shop, other], {})?.match(/SHOP_URL/g)).toHaveLength(1);
  });
});

describe('an address that cannot be used', () => {
  it.each([undefined, '', '  '])('is said to be missing when its variable is %j', (text) => {
    expect(() => parseSettings({ SHOP_URL: text }, [shop])).toThrow(
      new ConfigurationError(
        'SHOP_URL is not set. ' +
          'It is the base URL of the service "shop", as in http://127.0.0.1:4001.',
      ),
    );
  });

  it.each(['localhost:4001', 'orders', '/orders', 'ftp://orders', 'file:///etc/passwd', 'http://'])(
    'is quoted: %s',
    (text) => {
      expect(() => read(text)).toThrow(
        new ConfigurationError(`SHOP_URL contains ${JSON.stringify(text)}. ${advice}`),
      );
    },
  );

  it('is told apart in a list', () => {
    expect(() => read('http://a,b,http://c')).toThrow(`SHOP_URL contains "b". ${advice}`);
    expect(() => read('http://a,')).toThrow(`SHOP_URL contains "". ${advice}`);
  });

  it.each([
    'http://user:hunter2@orders',
    'http://hunter2@orders',
    'http://user:hunter2,hunter2@orders',
    'http://a,http://user:x,hunter2,y@orders',
    'user:hunter2@orders:80',
    'http://orders/?token=hunter2',
    'http://orders/#hunter2',
  ])('is not quoted when it may hold a secret: %s', (text) => {
    expect(() => read(text)).toThrow(ConfigurationError);
    expect(() => read(text)).toThrow(`SHOP_URL contains a value that is not shown here. ${advice}`);
    expect(() => read(text)).not.toThrow('hunter2');
  });

  it('is reported together with the others', () => {
    const services = ['orders', 'payments', 'shipping'].map((name) =>
      defineService({ name, url: { env: `${name.toUpperCase()}_URL` } }),
    );
    const environment = { PAYMENTS_URL: 'http://127.0.0.1:9', SHIPPING_URL: 'nowhere' };
    const lines = /^ORDERS_URL is not set\. .*\nSHIPPING_URL contains "nowhere"\. .*$/;
    expect(() => parseSettings(environment, services)).toThrow(lines);
    expect(addressProblem(services, environment)).toMatch(lines);
    expect(addressProblem(services.slice(1, 2), environment)).toBeUndefined();
  });
});

function judged(text: string): { atLoad: boolean; atStart: boolean } {
  return {
    atLoad: isAccepted(() => defineService({ name: 'x', url: text })),
    atStart: isAccepted(() => read(text)),
  };
}

describe('one rule', () => {
  it.each([
    ['a host', 'http://orders'],
    ['https and a port', 'https://orders:8443'],
    ['a path', 'http://orders/v2/'],
    ['an @ in its path', 'http://orders/@scope'],
    ['an address', 'http://127.0.0.1:4001'],
    ['an IPv6 address', 'http://[::1]:4001/x'],
    ['another case', 'HTTP://Orders'],
    ['white space around it', '  http://orders  '],
    ['a socket', 'unix:/run/orders.sock'],
    ['a socket and a prefix', 'unix:/run/orders.sock:/v2/'],
    ['a socket after three slashes', 'unix:///run/orders.sock:/v2/'],
    ['a socket and no more than a slash', 'unix:/run/orders.sock:/'],
    ['a socket of 107 bytes', `unix:/${'a'.repeat(106)}`],
  ])('accepts a URL with %s, at load and at start', (_, text) => {
    expect(judged(text)).toEqual({ atLoad: true, atStart: true });
  });

  it.each([
    ['a user and a password', 'http://user:secret@orders'],
    ['a user', 'http://user@orders'],
    ['a password', 'http://:secret@orders'],
    ['empty credentials', 'http://@orders'],
    ['a query', 'http://orders/?a=1'],
    ['an empty query', 'http://orders?'],
    ['a fragment', 'http://orders/#a'],
    ['an empty fragment', 'http://orders/#'],
    ['no host', 'http://'],
    ['no host, but a port', 'http://:80'],
    ['no host, but a path', 'http:///orders/v2'],
    ['no slashes', 'http:orders'],
    ['one slash', 'http:/orders'],
    ['backslashes', String.raw`http:\\orders`],
    ['a backslash in its path', String.raw`http://orders\..\x`],
    ['port 0', 'http://orders:0'],
    ['port 0 in digits', 'http://orders:00000'],
    ['a port out of range', 'http://orders:65536'],
    ['a port that is none', 'http://orders:http'],
    ['white space in it', 'http://ord ers'],
    ['a line break in it', 'http://orders/\nx'],
    ['no scheme', 'orders:4001'],
    ['another scheme', 'ftp://orders'],
    ['a socket after four slashes', 'unix:////run/orders.sock'],
    ['a socket after two slashes', 'unix://run/orders.sock'],
    ['a host before a socket', 'unix://host/run/orders.sock'],
    ['a socket of a relative path', 'unix:orders.sock'],
    ['no socket', 'unix:'],
    ['a folder', 'unix:/run/'],
    ['a socket of 108 bytes', `unix:/${'a'.repeat(107)}`],
    ['a dot segment before its socket', 'unix:/run/../orders.sock'],
    ['a dot segment in its prefix', 'unix:/run/orders.sock:/../../etc/x.sock'],
    ['a dot segment at the end', 'unix:/run/orders.sock:/v2/..'],
    ['a prefix without a slash', 'unix:/run/orders.sock:v2'],
    ['an escape in its socket', 'unix:/run/%6frders.sock'],
    ['a query after its prefix', 'unix:/run/orders.sock:/v2?a=1'],
    ['a host that cannot be', 'http://exa%mple'],
    ['an address that cannot be', 'http://[::1'],
    ['a comma too many', 'http://a,'],
  ])('refuses a URL with %s, at load and at start', (_, text) => {
    expect(judged(text)).toEqual({ atLoad: false, atStart: false });
    expect(() => defineService({ name: 'x', url: text })).toThrow(
      `Use ${rule}, as in "http://127.0.0.1:4001", or`,
    );
  });

  it.each([[''], ['TWO WORDS'], ['A=B'], [undefined], [7]])(
    'refuses the variable %j, which cannot be set',
    (env) => {
      const url = { env: env as string }; // as in a file that tsc has not seen
      expect(() => defineService({ name: 'x', url })).toThrow(
        `service "x": url.env is ${JSON.stringify(env) ?? 'missing'}, which is not a name of a variable. ` +
          'Write one as in "http://127.0.0.1:4001", or { env: "ORDERS_URL" }.',
      );
    },
  );
});

function isAccepted(run: () => unknown): boolean {
  try {
    run();
    return true;
  } catch {
    return false;
  }
}
