/** A real nginx in front of a service. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished, vi } from 'vitest';
import { freePort } from './free-port.ts';

const isInstalled = spawnSync('nginx', ['-v']).status === 0;

/** Where `CI` is set, a missing nginx is a failure. */
export const isNginxSkipped = !isInstalled && !process.env['CI'];
if (isNginxSkipped)
  process.stdout.write('nginx is not installed: the tests that need it are skipped\n');

export interface NginxOptions {
  /** The address of the service behind it. */
  readonly upstream: string;
  readonly mergeSlashes: boolean;
}

/**
 * nginx as people set it up: `/public/` is all of the service that may be reached, by a `proxy_pass`
 * with a path, which decodes and normalises before it hands on.
 */
export async function startNginx({ upstream, mergeSlashes }: NginxOptions): Promise<string> {
  if (!isInstalled) throw new Error('nginx is not installed: apt-get install nginx-light');
  const folder = mkdtempSync(join(tmpdir(), 'plait-nginx-'));
  const port = await freePort();
  const configuration = join(folder, 'nginx.conf');
  writeFileSync(
    configuration,
    `daemon off; master_process off; pid ${folder}/pid; error_log ${folder}/error.log;
     events {}
     http {
       access_log off;
       client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy;
       fastcgi_temp_path ${folder}/fastcgi; uwsgi_temp_path ${folder}/uwsgi;
       scgi_temp_path ${folder}/scgi;
       merge_slashes ${mergeSlashes ? 'on' : 'off'};
       server {
         listen 127.0.0.1:${port};
         location / { proxy_pass ${upstream}/; }
       }
     }`,
  );
  const nginx = spawn('nginx', ['-p', folder, '-c', configuration, '-e', `${folder}/error.log`], {
    stdio: 'ignore',
  });
  onTestFinished(async () => {
    const exit = once(nginx, 'exit');
    nginx.kill('SIGKILL');
    await exit;
    rmSync(folder, { recursive: true });
  });
  const url = `http://127.0.0.1:${port}`;
  await vi.waitFor(() => fetch(url));
  return url;
}
