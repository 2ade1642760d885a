/** Types for the part of autocannon that is used here; it brings none. */
declare module 'autocannon' {
  interface Sent {
    path?: string;
    method?: string;
    headers?: Record<string, string>;
    body?: string;
  }

  interface Options {
    url: string;
    connections: number;
    duration: number;
    /** Milliseconds between two looks at whether the time is over. */
    sampleInt: number;
    requests: { setupRequest(request: Sent): Sent }[];
  }

  interface Result {
    requests: { total: number };
    latency: { p50: number; p99: number };
    duration: number;
    errors: number;
    timeouts: number;
  }

  export default function autocannon(options: Options): Promise<Result>;
}
