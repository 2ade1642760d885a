/** What is used of autocannon, which brings no types. It is only there where somebody needs it. */
declare module 'autocannon' {
  interface Sent {
    path?: string;
    headers?: Record<string, string>;
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
    '4xx': number;
    '5xx': number;
  }

  export default function autocannon(options: Options): Promise<Result>;
}
