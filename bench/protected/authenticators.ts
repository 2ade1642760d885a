/** The issuer of the bench; its keys are in the file that `BENCH_JWKS` names. */
import { verifyJwt } from 'plait';

export const customers = verifyJwt({
  issuer: 'https://id.bench.example',
  audience: 'bench',
  keys: { file: process.env['BENCH_JWKS'] ?? '/nowhere' },
});
