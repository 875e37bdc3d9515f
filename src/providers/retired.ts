import { CaptureError } from '../domain/result.ts';

/** Where IdentifAI is. */
export const IDENTIFAI_PRODUCTION = 'https://api.identifai.id';

/** Hosts that were switched off on 31 January 2023. */
const RETIRED_HOSTS = ['api.nodeflux.io', 'api.cloud.nodeflux.io', 'backend.cloud.nodeflux.io'];

/** Paths that changed with the host; every other path stayed. */
const MOVED_PATHS: readonly (readonly [old: string, current: string])[] = [
  ['/auth/signatures', '/public/auth/v1/signatures'],
  ['/auth/v2/submission_tokens', '/auth/v1/submission_tokens'],
];

/**
 * Refuses a URL that cannot work any more.
 * @throws CaptureError `configuration-invalid` that names the URL to use instead
 */
export function checkRetired(url: URL): void {
  // A name that ends in a dot is the same host.
  const hostname = url.hostname.replace(/\.$/, '');
  if (!RETIRED_HOSTS.includes(hostname)) return;
  const pathname = url.pathname.replace(/\/+$/, '');
  const path = MOVED_PATHS.find(([old]) => pathname === old)?.[1] ?? pathname;
  throw new CaptureError(
    'configuration-invalid',
    `${hostname} was retired on 31 January 2023; use ${IDENTIFAI_PRODUCTION}${path}`,
  );
}
