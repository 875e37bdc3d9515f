import type { ProviderAnswer } from '../providers/provider.ts';

/** One HTTP request. */
export interface TransportRequest {
  readonly method: 'GET' | 'POST';
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | FormData | null;
  readonly signal: AbortSignal;
  /** Called while the body is sent, 0..1; its presence asks for a transport that can tell. */
  readonly onUploadProgress?: (fraction: number) => void;
}

/**
 * Sends one request and reads the whole body, whatever the status.
 * @throws anything where there was no answer
 */
export type Transport = (request: TransportRequest) => Promise<ProviderAnswer>;

/** `fetch`, but `XMLHttpRequest` where upload progress is asked for, which `fetch` cannot tell. */
export const browserTransport: Transport = (request) =>
  request.onUploadProgress ? sendByXhr(request) : sendByFetch(request);

async function sendByFetch({
  url,
  method,
  headers,
  body,
  signal,
}: TransportRequest): Promise<ProviderAnswer> {
  const response = await fetch(url, {
    method,
    headers,
    body,
    signal,
    credentials: 'same-origin',
    // A redirect could lead to an origin that the page did not name; it arrives as status 0 with no body.
    redirect: 'manual',
    cache: 'no-store',
    referrerPolicy: 'no-referrer',
  });
  return {
    status: response.status,
    body: await response.text(),
    header: (name) => response.headers.get(name),
  };
}

function sendByXhr({
  url,
  method,
  headers,
  body,
  signal,
  onUploadProgress,
}: TransportRequest): Promise<ProviderAnswer> {
  return new Promise((resolve, reject) => {
    const xhr = new XMLHttpRequest();
    const abort = (): void => xhr.abort();
    xhr.open(method, url);
    for (const [name, value] of Object.entries(headers)) xhr.setRequestHeader(name, value);
    xhr.upload.onprogress = ({ loaded, total, lengthComputable }) => {
      onUploadProgress?.(lengthComputable && total > 0 ? loaded / total : 0);
    };
    xhr.onload = () =>
      resolve({ status: xhr.status, body: xhr.responseText, header: (name) => xhr.getResponseHeader(name) });
    xhr.onerror = () => reject(new Error('network'));
    xhr.onabort = () => reject(signal.reason as Error);
    xhr.onloadend = () => signal.removeEventListener('abort', abort);
    signal.addEventListener('abort', abort, { once: true });
    xhr.send(body);
  });
}
