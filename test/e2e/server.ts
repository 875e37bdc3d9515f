/** The demo server of the end-to-end tests. */
export const PORT = 8791;
export const ORIGIN = `http://localhost:${PORT}`;
