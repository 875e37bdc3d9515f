import { css, html, type TemplateResult } from 'lit';
import { cornersOf, type Point } from '../domain/geometry.ts';
import type { Unit } from '../domain/result.ts';
import type { Sighting } from '../session/options.ts';

/*
 * What `debug` shows to developers, in English only: where a frame was measured, and every measure against its limit.
 */

/** The latest frame, and how fast frames go by. */
export interface Sighted extends Sighting {
  /** ms from one frame to the next, over the last frames; null until there are two. */
  readonly interval: number | null;
  /** ms a frame takes, over the last frames. */
  readonly pace: number;
}

/** Share of the newest frame in what is told of the last frames: about ten of them count. */
const NEWEST = 0.1;

/** The next frame after `last`, which is null for the first. */
export function follow(last: Sighted | null, sighting: Sighting): Sighted {
  if (last === null) return { ...sighting, interval: null, pace: sighting.took };
  const mix = (before: number, newest: number): number => before + NEWEST * (newest - before);
  const interval = sighting.now - last.now;
  return {
    ...sighting,
    interval: last.interval === null ? interval : mix(last.interval, interval),
    pace: mix(last.pace, sighting.took),
  };
}

/** Every rule for this kind of frame, in the order in which they are told, with what was measured. */
export function debugPanel({ observation, rules, judged, interval, pace }: Sighted): TemplateResult {
  const rate = interval === null ? '–' : (1000 / interval).toFixed(1);
  return html`
    <aside class="debug" lang="en" aria-label="Measures" tabindex="0">
      <p>${rate} frames/s, ${pace.toFixed(0)} ms a frame</p>
      <ul>
        ${rules[observation.kind].map(({ code, measure, comparison, threshold, unit }) => {
          const found = judged.find((each) => each.code === code && each.measure === measure);
          return html`<li class=${found?.broken ? 'broken' : ''} data-measure=${measure}>
            <i>${code}</i><b>${measure}</b><span>${found ? short(found.value) : '–'}</span
            ><span>${comparison === 'above' ? '≤' : '≥'}${short(threshold)}</span
            ><small>${UNITS[unit]}</small>
          </li>`;
        })}
      </ul>
    </aside>
  `;
}

/** At most six characters, for luma as for shares of a thousandth. */
function short(value: number): string {
  return String(Number(value.toFixed(Math.abs(value) < 10 ? 3 : 1)));
}

/** Short, so that two columns fit a phone. */
const UNITS: Record<Unit, string> = {
  degrees: '°',
  ratio: '×',
  fraction: 'of 1',
  luma: '/255',
  count: '',
  certainty: 'of 1',
};

/** CSS px, and the colours of each kind of mark. */
const MARKS = {
  dot: 1.5,
  font: 10,
  roomy: 150,
  points: '#7df9ff',
  regions: '#ffe14d',
  faces: '#ff7df0',
  guide: '#fff',
  ground: '#0008',
};

/**
 * Draws landmarks, regions with their names, the boxes of the detector and the guide.
 * @param canvas covers the camera's picture
 * @param mirrored true where the picture is; the canvas itself must not be, or the names would be too
 */
export function drawSighting(
  canvas: HTMLCanvasElement,
  { observation, guide }: Sighting,
  mirrored: boolean,
): void {
  const context = canvas.getContext('2d');
  if (!context) return;
  const density = devicePixelRatio;
  // Setting the size also wipes the canvas.
  canvas.width = canvas.clientWidth * density;
  canvas.height = canvas.clientHeight * density;
  const { width } = observation.frame;
  const scale = canvas.clientWidth / width;
  context.scale(density, density);
  const at = ({ x, y }: Point): [number, number] => [(mirrored ? width - x : x) * scale, y * scale];
  const outline = (points: readonly Point[], colour: string): void => {
    context.strokeStyle = colour;
    context.beginPath();
    for (const point of points) context.lineTo(...at(point));
    context.closePath();
    context.stroke();
  };

  context.setLineDash([6, 4]);
  outline(cornersOf(guide), MARKS.guide);
  if (observation.kind === 'card') {
    context.setLineDash([]);
    if (observation.outline) outline(observation.outline.corners, MARKS.regions);
    return;
  }
  for (const face of observation.faces) outline(cornersOf(face), MARKS.faces);
  context.setLineDash([]);
  const { points = [], regions = [] } = observation.detail ?? {};
  context.fillStyle = MARKS.points;
  for (const point of points) {
    const [x, y] = at(point);
    context.fillRect(x - MARKS.dot / 2, y - MARKS.dot / 2, MARKS.dot, MARKS.dot);
  }
  context.font = `${MARKS.font}px sans-serif`;
  context.fillStyle = MARKS.regions;
  // On a small face the names would lie on top of each other.
  const roomy = (observation.face?.box.width ?? 0) * scale > MARKS.roomy;
  const told = new Set<string>();
  for (const { name, outline: points } of regions) {
    outline(points, MARKS.regions);
    const [first] = points;
    if (roomy && first && !told.has(name)) {
      context.strokeStyle = MARKS.ground;
      context.strokeText(name, ...at(first));
      context.fillText(name, ...at(first));
    }
    told.add(name);
  }
}

/** Takes its room from the stage rather than cover it. */
export const debugStyles = css`
  .picture canvas {
    position: absolute;
    inset: 0;
    inline-size: 100%;
    block-size: 100%;
    pointer-events: none;
  }
  .mirrored canvas {
    transform: scaleX(-1);
  }
  .debug {
    flex: none;
    max-block-size: 40%;
    overflow-y: auto;
    padding: 0.375rem 0.5rem;
    font:
      0.625rem/1.35 ui-monospace,
      Menlo,
      Consolas,
      monospace;
  }
  .debug ul {
    columns: 11rem;
    column-gap: 0.5rem;
    list-style: none;
  }
  .debug li {
    display: grid;
    grid-template-columns: 1fr 6ch 6ch 4ch;
    gap: 0.5ch;
    break-inside: avoid;
    white-space: nowrap;
  }
  .debug i {
    display: none;
  }
  .debug b {
    overflow: hidden;
    font-weight: inherit;
    text-overflow: ellipsis;
  }
  .debug span:first-of-type {
    text-align: end;
  }
  .debug small {
    color: #b9c4d2;
    font-size: inherit;
  }
  .broken {
    background: #ffc24b;
    color: #241800;
  }
  .debug .broken small {
    color: inherit;
  }
  @container (min-inline-size: 50rem) {
    .camera:has(.debug) {
      display: grid;
      grid-template: auto 1fr / 1fr 24rem;
    }
    .camera:has(.debug) header {
      grid-column: 1 / -1;
    }
    .debug {
      max-block-size: none;
    }
    .debug ul {
      columns: auto;
    }
    .debug li {
      grid-template-columns: 16ch 1fr 6ch 6ch 4ch;
    }
    .debug i {
      display: block;
    }
  }
`;
