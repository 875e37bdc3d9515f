/** The demo server of the end-to-end tests. */
export const PORT = 8791;
export const ORIGIN = `http://localhost:${PORT}`;

/** The server's secrets during the tests: words that can be searched for, and nobody's keys. */
export const SECRETS = {
  KYC_RELAY_SECRET: 'e2e-relay-secret-that-no-browser-may-see',
  IDENTIFAI_ACCESS_KEY: 'e2e-identifai-access-key',
  IDENTIFAI_SECRET_KEY: 'e2e-identifai-secret-key',
  EENDIGO_KEY: 'e2e-eendigo-key',
  EENDIGO_TENANT_CODE: 'e2e-eendigo-tenant-code',
};
