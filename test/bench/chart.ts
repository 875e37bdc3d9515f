import type { Figures } from './figures.ts';

/*
 * The widget beside its peers, as a picture: SVG that any viewer shows.
 */

/** One bar: a name, a value, and what is written beside it. */
interface Line {
  readonly name: string;
  /** null where it was not measured. */
  readonly value: number | null;
}

interface Panel {
  readonly title: string;
  readonly show: (value: number) => string;
  readonly lines: readonly Line[];
}

const WIDGET = 'kyc-capture';

/** px of the picture. */
const WIDTH = 860;
const MARGIN = 24;
const NAMES = 190;
const VALUES = 90;
const ROW = 26;
const BAR = 16;
const TITLE = 44;

const COLOURS = { ground: '#ffffff', text: '#1d2733', faint: '#5c6b7a', widget: '#0b6e4f', peer: '#9aa9b8' };

/** Three panels: how long until the first hint, how long the main thread is kept busy, how much is fetched. */
export function chartOf(figures: Figures): string {
  const panels = panelsOf(figures);
  let y = MARGIN;
  const drawn = panels.map((panel) => {
    const from = y;
    y += TITLE + panel.lines.length * ROW + MARGIN;
    return drawPanel(panel, from);
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${y}" viewBox="0 0 ${WIDTH} ${y}" font-family="system-ui, sans-serif" font-size="14">`,
    `<title>${WIDGET} and its peers: first hint, main thread, bytes</title>`,
    `<rect width="${WIDTH}" height="${y}" fill="${COLOURS.ground}"/>`,
    ...drawn.flat(),
    '</svg>\n',
  ].join('\n');
}

function panelsOf({ peers, start, live, bytes }: Figures): readonly Panel[] {
  const measured = (peers ?? []).filter(({ skipped }) => skipped === null);
  const line = (
    widget: number | null | undefined,
    of: (peer: (typeof measured)[number]) => number | null | undefined,
  ): readonly Line[] => [
    { name: WIDGET, value: widget ?? null },
    ...measured.map((peer) => ({ name: peer.name, value: of(peer) ?? null })),
  ];
  const seconds = Math.round((live?.fullSpeed.duration ?? 25_000) / 1000);
  const milliseconds = (value: number): string => `${Math.round(value)} ms`;
  return [
    {
      title: 'Start to first hint, nothing in the cache',
      show: milliseconds,
      lines: line(start?.cold.hint.median, ({ firstFeedback }) => firstFeedback?.cold),
    },
    {
      title: 'Start to first hint, everything in the cache',
      show: milliseconds,
      lines: line(start?.warm.hint.median, ({ firstFeedback }) => firstFeedback?.warm),
    },
    {
      title: `Main thread blocked by long tasks, ${seconds} s of guidance`,
      show: milliseconds,
      lines: line(live?.fullSpeed.longTasks.total, ({ longTasks }) => longTasks?.total),
    },
    {
      title: 'Fetched before the first hint, gzip',
      show: (value) => `${(value / 1_000_000).toFixed(1)} MB`,
      lines: line(bytes?.gzip, (peer) => peer.bytes?.gzip),
    },
  ];
}

function drawPanel({ title, show, lines }: Panel, y: number): readonly string[] {
  const most = Math.max(1, ...lines.map(({ value }) => value ?? 0));
  const room = WIDTH - 2 * MARGIN - NAMES - VALUES;
  const rows = lines.flatMap(({ name, value }, index) => {
    const top = y + TITLE + index * ROW;
    const baseline = top + BAR - 3;
    const left = MARGIN + NAMES;
    // Nothing at all still shows where its bar would be.
    const width = Math.max(1, (room * (value ?? 0)) / most);
    const own = name === WIDGET;
    return [
      `<text x="${left - 12}" y="${baseline}" text-anchor="end" fill="${COLOURS.text}"${own ? ' font-weight="700"' : ''}>${escaped(name)}</text>`,
      ...(value === null
        ? []
        : [
            `<rect x="${left}" y="${top}" width="${width.toFixed(1)}" height="${BAR}" rx="2" fill="${own ? COLOURS.widget : COLOURS.peer}"/>`,
          ]),
      `<text x="${(left + (value === null ? 0 : width + 8)).toFixed(1)}" y="${baseline}" fill="${value === null ? COLOURS.faint : COLOURS.text}">${value === null ? 'not measured' : escaped(show(value))}</text>`,
    ];
  });
  const heading = `<text x="${MARGIN}" y="${y + 22}" fill="${COLOURS.text}" font-size="16" font-weight="700">${escaped(title)}</text>`;
  return [heading, ...rows];
}

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
